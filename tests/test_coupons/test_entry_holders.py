"""Whose code it is that somebody types: coupons of one customer, of an account, and what is told of either (CO-6)."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from django.contrib.sessions.models import Session
from django.test import Client
from djmoney.money import Money

from coupons import codes
from coupons.entry import Visitor, enter, placing
from coupons.exceptions import CouponOver, CouponUsedUp, InvalidCode, TooManyTries
from coupons.holders import customer_key, user_key
from coupons.issuing import issue
from coupons.models import Coupon
from coupons.redemption import reserve
from coupons.staging import prove, staged

from .asking import make_user
from .factories import make_campaign, make_coupon, make_facts
from .small_site import site  # noqa: F401

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("site")]

EVE = customer_key("eve@example.com")
ANN = Visitor(session_key="ann", ip="192.0.2.1")


def type_in(coupon: Coupon, session: dict[str, Any] | None = None, **more: Any) -> Any:
    arguments = {"visitor": ANN, "session": {} if session is None else session, "facts": make_facts(), **more}
    return enter(text=coupon.code, **arguments)


# Personal coupons ----------------------------------------------------------------------------------


@pytest.mark.parametrize("path", ["/coupons/apply/", "/coupons/api/"])
@pytest.mark.parametrize("basket", ["", "none", "empty"])
@pytest.mark.parametrize("holder", [EVE, "u:7"], ids=["address", "account"])
def test_a_guest_learns_nothing_of_somebody_elses_coupon(holder: str, basket: str, path: str) -> None:
    """CO-6: "not yours" is like "not found", also where the basket would make good what is missing."""
    coupon = make_coupon(holder_key=holder, personal=True, minimum_spend=Money(50, "EUR"))
    answers = []
    for code in (codes.generate(), coupon.code, make_coupon(holder_key=holder, personal=True).code):
        client = Client(headers={"X-Basket": basket})
        response = client.post(path, {"code": code}, **_kind(path))
        answers.append((response.status_code, "not valid for your order" in response.content.decode()))
        assert staged(client.session) == []
    assert answers == [(422, True)] * 3


def test_who_may_type_a_personal_code() -> None:
    """CO-6, CO-10: its holder, known by the basket, by the account, by a proof in this browser, or by what the
    checkout's form says.
    """
    coupon = make_coupon(holder_key=EVE, personal=True)
    shown: dict[str, Any] = {}
    prove(shown, coupon.code)
    for allowed in (
        {"facts": make_facts(customer_key=EVE)},
        {"visitor": replace(ANN, holder_keys=(EVE,))},
        {"session": shown},
        {"claimed_key": EVE},
    ):
        assert type_in(coupon, **allowed).title == "Free shipping"
    for refused in (
        {"facts": make_facts(customer_key=customer_key("ann@example.com"))},
        {"visitor": replace(ANN, holder_keys=("u:7",))},
        {"claimed_key": customer_key("ann@example.com")},
    ):
        with pytest.raises(InvalidCode):
            type_in(coupon, **refused)


def test_a_coupon_that_is_not_personal_is_anybodys() -> None:
    """CO-10: a holder alone keeps nobody away."""
    assert type_in(make_coupon(holder_key=EVE)).title == "Free shipping"
    assert type_in(make_coupon(personal=True)).title == "Free shipping"


# The holder's own ----------------------------------------------------------------------------------


@pytest.mark.parametrize("path", ["/coupons/apply/", "/coupons/api/"])
def test_a_signed_in_holder_hears_the_true_reason(path: str) -> None:
    """CO-6: whoever is signed in as the holder; and it is no guess, however often."""
    user = make_user()
    revoked, used = (make_coupon(holder_key=user_key(user)) for _n in range(2))
    Coupon.objects.filter(pk=revoked.pk).update(state=Coupon.State.REVOKED)
    Coupon.objects.filter(pk=used.pk).update(used=1)
    holder, stranger = Client(), Client()
    holder.force_login(user)
    for coupon, words in ((revoked, "no longer valid"), (used, "already been used")):
        for _n in range(6):
            response = holder.post(path, {"code": coupon.code}, **_kind(path))
            assert response.status_code == 422
            assert words in response.content.decode()
        assert words not in stranger.post(path, {"code": coupon.code}, **_kind(path)).content.decode()


def test_the_verb_knows_the_holder_by_the_visitors_keys() -> None:
    coupon = make_coupon(holder_key=EVE)
    Coupon.objects.update(used=1)
    for _n in range(9):
        with pytest.raises(CouponUsedUp):
            type_in(coupon, visitor=replace(ANN, holder_keys=(EVE, "u:1")))
    Coupon.objects.update(state=Coupon.State.REVOKED)
    with pytest.raises(CouponOver):
        type_in(coupon, visitor=replace(ANN, holder_keys=(EVE,)))


# Who is a customer ---------------------------------------------------------------------------------


def test_a_claim_is_asked_for_nothing_else() -> None:
    """CO-7: typing an address into the checkout does not tell whether it has used the word."""
    campaign = make_campaign(code_type="word", word="SPRING10", limit_per_customer=1)
    word = issue(campaign=campaign)
    reserve(code="SPRING10", order_ref="1", facts=make_facts(customer_key=EVE))
    for claimed in (EVE, customer_key("nobody@example.com")):
        assert type_in(word, claimed_key=claimed).title == "Free shipping"


@pytest.mark.parametrize("kind", ["limit", "audience", "personal"])
def test_a_refused_order_is_a_guess(kind: str, django_assert_num_queries: Any) -> None:
    """CO-7: where the coupon depends on who orders, and the address is not known to be the visitor's."""
    campaigns = {"limit": {"limit_per_customer": 1}, "audience": {"audience": "first"}, "personal": {"personal": True}}
    coupon = make_coupon(holder_key=EVE, **campaigns[kind])

    def refuse(visitor: Visitor = ANN, code: str = coupon.code) -> None:
        with placing(codes=[code], visitor=visitor, customer_key=EVE) as trying:
            trying.fail()

    with django_assert_num_queries(1):
        refuse()
    for _n in range(4):
        refuse()
    with pytest.raises(TooManyTries):
        refuse()
    # No matter who orders with these, so that nothing is learned by them.
    refuse(code=make_coupon().code)
    with django_assert_num_queries(0), placing(codes=[], visitor=ANN, customer_key=EVE):
        pass
    # Whoever has proved the address may hear it as often as they like.
    for _n in range(9):
        refuse(replace(ANN, ip="192.0.2.2", session_key="eve", holder_keys=(EVE,)))


def test_an_order_that_is_placed_is_no_guess() -> None:
    """CO-7."""
    coupon = make_coupon(limit_per_customer=1)
    for _n in range(9):
        with placing(codes=[coupon.code], visitor=ANN, customer_key=EVE):
            pass


# Visitors without a session ------------------------------------------------------------------------


@pytest.mark.parametrize("path", ["/coupons/apply/", "/coupons/api/"])
def test_guests_are_limited_by_a_session_of_their_own(path: str) -> None:
    """CO-7: five a minute for a browser that keeps its cookie, and not only twenty for its address."""
    client = Client()
    statuses = [client.post(path, {"code": codes.generate()}, **_kind(path)).status_code for _n in range(7)]
    assert statuses == [422] * 5 + [429] * 2
    assert Session.objects.count() == 1
    # Another browser behind the same address goes on.
    assert Client().post(path, {"code": codes.generate()}, **_kind(path)).status_code == 422


def test_a_session_that_was_made_up_is_none() -> None:
    """CO-7: another cookie each time is no way around."""
    for number in range(2):
        client = Client()
        client.cookies["sessionid"] = f"{number}" * 32
        client.post("/coupons/apply/", {"code": codes.generate()})
        assert Session.objects.count() == number + 1
        statuses = [client.post("/coupons/apply/", {"code": codes.generate()}).status_code for _n in range(5)]
        assert statuses == [422] * 4 + [429]


def test_the_header_and_the_text_fit_the_limit(site: Any) -> None:  # noqa: F811
    """CO-7."""
    site.THANKYOU_COUPONS = {**site.THANKYOU_COUPONS, "GUESS_LIMITS_SESSION": ["2/hour"]}
    client = Client()
    for path in ("/coupons/apply/", "/coupons/api/"):
        client.post(path, {"code": codes.generate()}, **_kind(path))
    for path in ("/coupons/apply/", "/coupons/api/"):
        response = client.post(path, {"code": codes.generate()}, **_kind(path))
        assert (response.status_code, response["Retry-After"]) == (429, "3600")
        assert "in an hour" in response.content.decode()


def _kind(path: str) -> dict[str, Any]:
    return {"content_type": "application/json"} if path.endswith("api/") else {}
