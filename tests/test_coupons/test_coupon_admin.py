"""Issued coupons in the admin: found however typed, read on one page, given out and revoked by hand."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.urls import NoReverseMatch, reverse
from django.utils import timezone

from coupons import events, links
from coupons.admin import life
from coupons.holders import customer_key
from coupons.issuing import issue
from coupons.models import Answer, Campaign, Coupon, CouponBatch, CouponEvent
from coupons.redemption import redeem, release, reserve
from coupons.revoking import revoke
from tests.test_coupons.factories import make_campaign, make_facts
from tests.test_coupons.selling import ALL, LIST, client_with, life_url, make_coupon

pytestmark = pytest.mark.django_db


@pytest.fixture
def seller() -> Client:
    """Somebody who sells: may see, give out and revoke coupons."""
    return client_with(*ALL)


# Finding ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "way",
    [
        "stored",
        "shown",
        "small",
        "spaced",
        "dashes",
        "confused",
        "part",
        "campaign",
        "order",
        "holder",
        "used by",
        "Gmail",
    ],
)
def test_a_coupon_is_found_however_one_asks(seller: Client, way: str) -> None:
    """CO-5: by what is printed, however typed; by the order, or by the customer's address, which is only hashed."""
    email = "ann.lee@gmail.com"
    coupon = make_coupon(holder_key=customer_key(email) if way in ("holder", "Gmail") else "")
    make_coupon(title="Spring")
    facts = make_facts(customer_key=customer_key(email) if way == "used by" else "")
    reserve(code=coupon.code, order_ref="SO/2026-17", facts=facts)
    typed = {
        "stored": coupon.code,
        "shown": coupon.display_code,
        "small": coupon.display_code.lower(),
        "spaced": f" {' '.join(coupon.code)} ",
        "dashes": coupon.display_code.replace("-", "–"),
        "confused": coupon.code.replace("0", "O").replace("1", "l"),
        "part": coupon.display_code[:7],
        "campaign": "autu",
        "order": "SO/2026-17",
        "holder": email,
        "used by": " Ann.Lee@Gmail.com ",
        "Gmail": "annlee+x@googlemail.com",
    }[way]
    assert list(seller.get(reverse(LIST), {"q": typed}).context["object_list"]) == [coupon]


@pytest.mark.parametrize("typed", ["SPRINGTEA", "spring tea", "Spring-Tea"])
def test_a_public_word_is_found(seller: Client, typed: str) -> None:
    """CO-8: it is a coupon like any other."""
    campaign = make_campaign(title="Poster", code_type="word", word="SPRINGTEA", limit_per_customer=1)
    make_coupon()
    assert list(seller.get(reverse(LIST), {"q": typed}).context["object_list"]) == [campaign.coupons.get()]


@pytest.mark.parametrize("typed", ["01AB", "OIAB", "ol-ab", "o1 ab", "23 o", "\uff12\uff13\uff10\uff11"])
def test_a_part_of_a_code_is_found_however_it_is_typed(seller: Client, typed: str) -> None:
    """CO-5: an O for a 0 and an I or L for a 1, as in whole codes."""
    coupon = make_coupon(title="T")
    Coupon.objects.filter(pk=coupon.pk).update(code="2301AB7KXQ9Z")
    Coupon.objects.filter(pk=make_coupon(title="T").pk).update(code="77QQ77QQ77QQ")
    assert list(seller.get(reverse(LIST), {"q": typed}).context["object_list"]) == [coupon]


def test_dashes_alone_find_nothing(seller: Client) -> None:
    """They are part of every code as it is shown, and of none as it is meant."""
    make_coupon(title="T")
    assert not seller.get(reverse(LIST), {"q": "--"}).context["object_list"]


@pytest.mark.parametrize("typed", ["@", "a@b", "%", "'; drop", "\x00", "𝟙" * 30, "x" * 3000, "‮AB"])
def test_any_text_can_be_searched_for(seller: Client, typed: str) -> None:
    """Nothing found, nothing broken."""
    make_coupon(title="T")
    assert seller.get(reverse(LIST), {"q": typed}).status_code == 200


def test_the_list_costs_the_same_for_any_number(
    seller: Client, django_assert_num_queries: Any, django_assert_max_num_queries: Any
) -> None:
    """1 row and 20."""
    coupon = make_coupon()
    seller.get(reverse(LIST))
    with django_assert_max_num_queries(14) as before:
        page = seller.get(reverse(LIST)).content.decode()
    assert coupon.display_code in page
    assert life_url(coupon) in page
    for number in range(19):
        make_coupon(title=str(number))
    with django_assert_num_queries(len(before)):
        seller.get(reverse(LIST))


def test_nobody_changes_a_coupon_in_a_form() -> None:
    """CM-4: there are verbs, and no form for rows."""
    for name in ("add", "edit", "delete", "copy"):
        with pytest.raises(NoReverseMatch):
            reverse(f"thankyou_coupons_coupon:{name}", args=[] if name == "add" else [1])


# One coupon's life ------------------------------------------------------------------------------------------


def test_the_whole_life_is_on_one_page(seller: Client) -> None:
    """CO-11: what, when, by whom, for which order; staff by name."""
    boss = User.objects.create_user("boss", first_name="Bea", last_name="Boss")
    campaign = make_campaign(title="Autumn", uses_per_coupon=5)
    coupon = make_coupon(campaign=campaign, holder_key=customer_key("ada@example.com"), actor=events.actor_of(boss))
    facts = make_facts(customer_key=customer_key("ada@example.com"))
    reserve(code=coupon.code, order_ref="1001", facts=facts)
    redeem(order_ref="1001")
    reserve(code=coupon.code, order_ref="1002", facts=facts)
    release(order_ref="1002")
    revoke(coupon=coupon, actor="user 987654", reason="printed twice")
    page = seller.get(life_url(coupon))
    text = re.sub(r"\s+", " ", page.content.decode())
    for said in (coupon.display_code, "Autumn", "1001", "1002", "€4.90", "Bea Boss", "user 987654", "printed twice"):
        assert said in text, said
    assert "Revoked: nobody can use it" in text
    assert "ada@example.com" not in text
    assert customer_key("ada@example.com") not in text, "enough to recognise, too little to use"
    assert [step.kind for step in page.context["steps"]] == [
        "revoked",
        "released",
        "reserved",
        "redeemed",
        "reserved",
        "issued",
    ]


def test_the_page_costs_the_same_for_any_number_of_steps(
    seller: Client, django_assert_num_queries: Any, django_assert_max_num_queries: Any
) -> None:
    """A word may have thousands: names in one query, and no more than a page of rows."""
    campaign = make_campaign(code_type="word", word="SPRINGTEA", is_unlimited=True)
    coupon = campaign.coupons.get()
    reserve(code="springtea", order_ref="0", facts=make_facts())
    events.record(CouponEvent.Kind.CHANGED, coupon=coupon, actor=events.actor_of(User.objects.create_user("u0")))
    seller.get(life_url(coupon))
    with django_assert_max_num_queries(16) as before:
        seller.get(life_url(coupon))
    for number in range(1, 20):
        actor = events.actor_of(User.objects.create_user(f"u{number}"))
        events.record(CouponEvent.Kind.CHANGED, coupon=coupon, actor=actor)
        reserve(code="springtea", order_ref=str(number), facts=make_facts())
    with django_assert_num_queries(len(before)):
        page = seller.get(life_url(coupon))
    assert "u19" in page.content.decode()
    events.record_all(CouponEvent.Kind.CHANGED, coupon_ids=[coupon.pk] * 200)
    assert len(seller.get(life_url(coupon)).context["steps"]) == life.SHOWN


@pytest.mark.parametrize(
    ("changes", "campaign", "said"),
    [
        ({}, {}, "Ready"),
        ({"state": "locked"}, {}, "Locked: it waits"),
        ({"state": "locked", "declined_at": timezone.now()}, {}, "Locked: the customer would rather not"),
        ({"state": "revoked"}, {}, "Revoked"),
        ({"used": 1}, {}, "Used up"),
        ({"ends_at": timezone.now() - timedelta(hours=1)}, {}, "Over"),
        ({}, {"status": "paused"}, "Resting"),
        ({}, {"ends_at": timezone.now() - timedelta(hours=1)}, "Over"),
    ],
    ids=lambda value: "-".join(value) if isinstance(value, dict) else str(value),
)
def test_the_state_is_told_in_words(changes: dict[str, Any], campaign: dict[str, Any], said: str) -> None:
    """For the person at the counter."""
    coupon = make_coupon()
    Coupon.objects.update(**changes)
    Campaign.objects.update(**campaign)
    coupon = Coupon.objects.select_related("campaign").get()
    assert life.state_in_words(coupon, now=timezone.now()).startswith(said)


@pytest.mark.parametrize("code_type", ["single", "word"])
def test_a_campaign_whose_uses_are_all_taken_is_not_called_ready(code_type: str) -> None:
    """CO-1: what the page says is what the checkout does."""
    campaign = make_campaign(total_limit=1, code_type=code_type, word="SPRING" if code_type == "word" else "")
    taken, coupon = issue(campaign=campaign), issue(campaign=campaign)
    reserve(code=taken.code, order_ref="1", facts=make_facts())
    coupon = Coupon.objects.select_related("campaign").get(pk=coupon.pk)
    assert life.state_in_words(coupon, now=timezone.now()).startswith("Used up")


def test_the_filter_by_batch_costs_the_same_for_any_number(
    seller: Client, django_assert_num_queries: Any, django_assert_max_num_queries: Any
) -> None:
    """1 batch and 20: each is called after its campaign, and no report of an import is read."""
    coupon = make_coupon()
    CouponBatch.objects.create(campaign=coupon.campaign, quantity=1)
    for url in (reverse(LIST), life_url(coupon)):
        seller.get(url)
        with django_assert_max_num_queries(25) as before:
            seller.get(url)
        assert not any('batch"."rejected"' in query["sql"] for query in before.captured_queries)
        for _ in range(19):
            Coupon.objects.filter(pk=coupon.pk).update(
                batch=CouponBatch.objects.create(campaign=make_campaign(), quantity=1)
            )
        with django_assert_num_queries(len(before)):
            seller.get(url)


def test_a_locked_coupon_has_its_link_for_who_may_give_out(seller: Client) -> None:
    """CO-6: the link proves possession, so looking alone is not enough."""
    coupon = make_coupon(locked=True)
    path = links.unlock_path(coupon)
    assert path in seller.get(life_url(coupon)).content.decode()
    assert path not in client_with("view_coupon", name="looker").get(life_url(coupon)).content.decode()
    assert links.unlock_path(ready := make_coupon()) not in seller.get(life_url(ready)).content.decode()


def test_answers_are_for_who_may_read_them(seller: Client) -> None:
    """CM-4, CO-9: answers have a permission of their own; one whose time is over is not shown."""
    coupon = make_coupon()
    now = timezone.now()
    for name, rest in (("tea", timedelta(days=9)), ("town", timedelta(days=-1))):
        Answer.objects.create(
            holder_key="c:1", question_name=name, label=name, value=f"my {name}", coupon=coupon, delete_after=now + rest
        )
    page = seller.get(life_url(coupon)).content.decode()
    assert "my tea" in page
    assert "my town" not in page
    assert "my tea" not in client_with("view_coupon", name="looker").get(life_url(coupon)).content.decode()


def test_what_is_written_down_is_escaped(seller: Client) -> None:
    """A reason, a note and an order number are somebody's text."""
    coupon = make_coupon(title="<b>Autumn</b>")
    reserve(code=coupon.code, order_ref="<i>1</i>", facts=make_facts())
    revoke(coupon=coupon, actor="<u>x</u>", reason="<script>alert(1)</script>")
    page = seller.get(life_url(coupon)).content.decode()
    assert not re.search(r"<(b>Autumn|i>1|u>x|script>alert)", page)
