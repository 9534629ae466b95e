"""Whoever only typed a code learns nothing from the answer (CO-6); and no address of ours is without the limiter
(CO-7).
"""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
import time_machine
from django.core.cache import cache
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import URLPattern
from django.utils import timezone
from djmoney.money import Money

from coupons.holders import customer_key
from coupons.models import Campaign, Coupon
from coupons.staging import prove
from coupons.urls import urlpatterns

from .factories import make_campaign
from .small_site import site  # noqa: F401

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("site")]

#: One code for all cases, so that the answers have nothing to differ in.
CODE = "7K3MQ0ZT9XW4"


def put(campaign: dict[str, Any] | None = None, **coupon: Any) -> None:
    """Give the code to a coupon."""
    Coupon.objects.create(code=CODE, campaign=make_campaign(**(campaign or {})), **coupon)


def long_ago() -> Any:
    return timezone.now() - timedelta(days=1)


#: Each kind of wrong code, and the words for its proven holder.
WRONG: dict[str, tuple[Callable[[], None], str]] = {
    "unknown": (lambda: None, "This code is not valid for your order."),
    "over": (lambda: put(ends_at=long_ago()), "This coupon is no longer valid."),
    "campaign over": (lambda: put({"ends_at": long_ago()}), "This coupon is no longer valid."),
    "used up": (lambda: put(used=1), "This coupon has already been used."),
    "locked": (lambda: put(state=Coupon.State.LOCKED), "This coupon is not unlocked yet."),
    "revoked": (lambda: put(state=Coupon.State.REVOKED), "This coupon is no longer valid."),
    "paused": (lambda: put({"status": Campaign.Status.PAUSED}), "This coupon cannot be used at the moment."),
    "draft": (lambda: put({"status": Campaign.Status.DRAFT}), "This coupon cannot be used at the moment."),
    "foreign": (
        lambda: put({"personal": True}, holder_key=customer_key("eve@example.com")),
        "This coupon belongs to another customer.",
    ),
    "wrong cart": (lambda: put({"minimum_spend": Money(50, "EUR")}), "This coupon is for orders of "),
    "wrong country": (
        lambda: put({"countries": ["AT"]}),
        "This coupon is not for deliveries to this country.",
    ),
    "not the first order": (lambda: put({"audience": "first"}), "This coupon is for the first order only."),
    "wrong currency": (
        lambda: put({"benefit": Campaign.Benefit.AMOUNT, "amount": Money(5, "USD")}),
        "This coupon is for orders in another currency.",
    ),
}

#: What tells something of the customer whose address the basket has.
ABOUT_CUSTOMER = ("foreign", "not the first order")


def known_basket(request: Any) -> Any:
    """Return the basket of somebody who is known, and has ordered before."""
    from dataclasses import replace

    from .factories import make_facts

    return replace(make_facts("20.00", customer_key=customer_key("ann@example.com")), country="DE", previous_orders=2)


@pytest.fixture(autouse=True)
def basket_of_somebody_known(site: Any) -> None:  # noqa: F811
    site.THANKYOU_COUPONS = {"BASKET": f"{__name__}.known_basket"}


def answer(path: str, *, client: Client | None = None, code: str = CODE) -> tuple[Any, ...]:
    """Return everything that a visitor without a session sees of a refusal, byte for byte."""
    client = client or Client()
    if path.endswith("api/"):
        response = client.post(path, {"code": code}, content_type="application/json")
    else:
        client.get(path)  # brings the CSRF cookie
        response = client.post(path, {"code": code, "next": "/cart/"})
    # Django masks the form's token anew in every answer; it is the one thing that always differs.
    body = re.sub(rb'(name="csrfmiddlewaretoken" value=")\w+', rb"\1", response.content)
    return response.status_code, sorted(response.headers.items()), sorted(response.cookies), body


@pytest.mark.parametrize("path", ["/coupons/apply/", "/coupons/api/"])
@pytest.mark.parametrize("kind", WRONG)
def test_all_wrong_codes_get_the_same_answer(kind: str, path: str) -> None:
    """CO-6: same status, same headers, same bytes, and the same number of queries."""
    # The second an answer goes stale is in its headers.
    with time_machine.travel(timezone.now(), tick=False):
        with CaptureQueriesContext(connection) as plain_queries:
            plain = answer(path)
        cache.clear()
        WRONG[kind][0]()
        with CaptureQueriesContext(connection) as queries:
            assert answer(path) == plain
    assert len(queries) == len(plain_queries)
    assert plain[0] == 422
    assert b"This code is not valid for your order." in plain[3]


def test_a_right_code_gets_another_one() -> None:
    """CO-6: the comparison above is able to fail."""
    with time_machine.travel(timezone.now(), tick=False):
        wrong = answer("/coupons/api/")
        put()
        assert answer("/coupons/api/") != wrong


@pytest.mark.parametrize("path", ["/coupons/apply/", "/coupons/api/"])
@pytest.mark.parametrize("kind", [kind for kind in WRONG if kind not in {"unknown", *ABOUT_CUSTOMER}])
def test_the_proven_holder_hears_the_reason(kind: str, path: str) -> None:
    """CO-6: nothing is given away to somebody who has it; and it is no guess, however often."""
    make, words = WRONG[kind]
    make()
    client = Client()
    session = client.session
    prove(session, CODE)
    session.save()
    client.cookies["sessionid"] = session.session_key
    found = [answer(path, client=client) for _n in range(7)]
    assert {each[0] for each in found} == {422}
    assert words.encode() in found[0][3]
    assert b"This code is not valid" not in found[0][3]


@pytest.mark.parametrize("path", ["/coupons/apply/", "/coupons/api/"])
@pytest.mark.parametrize("kind", ABOUT_CUSTOMER)
def test_what_speaks_against_a_customer_is_told_to_that_customer(
    kind: str, path: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """CO-6, CO-7: the basket may have anybody's address, so that whoever is not known to be its owner learns nothing
    of them, and has guessed.
    """
    make, words = WRONG[kind]
    make()
    client = Client()
    session = client.session
    prove(session, CODE)
    session.save()
    client.cookies["sessionid"] = session.session_key
    found = [answer(path, client=client) for _n in range(6)]
    assert [each[0] for each in found] == [422] * 5 + [429]
    assert b"This code is not valid for your order." in found[0][3]
    monkeypatch.setattr("coupons.visitors.keys_of", lambda user: (customer_key("ann@example.com"),))
    cache.clear()
    found = [answer(path, client=client) for _n in range(6)]
    assert {each[0] for each in found} == {422}
    assert words.encode() in found[0][3]


# Which addresses take a code -----------------------------------------------------------------------

#: Addresses that nothing can be guessed at, each with the reason.
SAFE = {
    "remove": "takes a code off this session, and looks nothing up",
    "mine": "shows a signed-in customer what is theirs; takes no code",
    "answers": "shows a signed-in customer the answers they gave, or deletes them; takes no code",
    "unlock_link": "takes a token with 256 bits of signature, no code",
    "coupon": "takes a number, and opens for its proven holder only",
}


def tries(pattern: URLPattern) -> list[int]:
    """Send more wrong codes than any limit allows, in every way that a view may read one; return the statuses."""
    cache.clear()
    client = Client()
    path = f"/coupons/{pattern.pattern}"
    statuses = []
    for _n in range(22):
        statuses.append(client.post(path, {"code": CODE, "coupon": CODE}).status_code)
        statuses.append(client.post(path, {"code": CODE}, content_type="application/json").status_code)
    return statuses


def test_every_address_that_takes_a_code_has_the_limiter() -> None:
    """CO-7: found from the URLconf, so that a new one cannot be forgotten."""
    limited = set()
    for pattern in urlpatterns:
        assert isinstance(pattern, URLPattern)
        if pattern.name in SAFE:
            continue
        assert 429 in tries(pattern), f"{pattern.name} takes a code without coupons.entry, or is missing in SAFE"
        limited.add(pattern.name)
    assert limited == {"apply", "api"}


def test_taking_a_code_off_asks_nobody() -> None:
    """CO-7: so it needs no limit; and the same holds for DELETE on the API, whatever the code is."""
    put()
    client = Client()
    with CaptureQueriesContext(connection) as queries:
        answers = [client.post("/coupons/remove/", {"code": code}) for code in (CODE, "0000-0000-0000")]
    assert len(queries) == 0
    assert {response.status_code for response in answers} == {303}
    bodies = {
        client.delete("/coupons/api/", {"code": code}, content_type="application/json").content
        for code in (CODE, "0000-0000-0000")
    }
    assert len(bodies) == 1
