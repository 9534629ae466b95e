"""The books add up, and when somebody breaks them in the database, each break is named (CO-11)."""

from __future__ import annotations

from io import StringIO
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.db import connection

from coupons.issuing import issue
from coupons.models import Campaign, Coupon, CouponEvent, Redemption, UsageCounter
from coupons.redemption import redeem, release, reserve
from coupons.revoking import revoke
from coupons.verifying import repair, verify
from tests.test_coupons.books import counters
from tests.test_coupons.factories import NOW, make_campaign, make_coupon, make_facts

pytestmark = pytest.mark.django_db

ANA, BO = (make_facts(customer_key=f"c:{name}") for name in ("ana", "bo"))


def raw(sql: str, *parameters: object) -> None:
    """Change a row as no verb would."""
    with connection.cursor() as cursor:
        cursor.execute(sql, parameters)
        assert cursor.rowcount == 1, sql


@pytest.fixture
def shop() -> Coupon:
    """A coupon of a campaign with both limits: redeemed by order 1, reserved by 2, given back by 3, and by a paid order
    that came too late for a limit.
    """
    campaign = make_campaign(total_limit=3, limit_per_customer=2, uses_per_coupon=5)
    coupon = issue(campaign=campaign, now=NOW)
    for order, facts in (("1", ANA), ("2", BO), ("3", BO)):
        reserve(code=coupon.code, order_ref=order, facts=facts, now=NOW)
    redeem(order_ref="1", now=NOW)
    release(order_ref="3", now=NOW)
    for order in ("4", "5"):
        redeem(order_ref=order, code=coupon.code, customer_key="c:ana", now=NOW)
    assert Redemption.objects.filter(over_limit=True).count() == 1
    revoke(coupon=make_coupon(), actor="user 1", now=NOW)
    coupon.refresh_from_db()
    return coupon


def kinds() -> list[tuple[str, str]]:
    return [(drift.kind, drift.model) for drift in verify()]


def test_a_shop_in_order(shop: Coupon) -> None:
    assert verify() == []


def test_an_empty_shop_is_in_order() -> None:
    assert verify() == []


@pytest.mark.teeth
@pytest.mark.parametrize(
    ("sql", "drift"),
    [
        ("UPDATE thankyou_coupons_coupon SET used = used + 1 WHERE id = %s", ("coupon_used", "coupon")),
        ("UPDATE thankyou_coupons_coupon SET used = 0 WHERE id = %s", ("coupon_used", "coupon")),
        (
            "UPDATE thankyou_coupons_usagecounter SET used = used - 1 WHERE customer_key = '' AND used > 0 AND id > 0 * %s",
            ("counter_used", "counter"),
        ),
        (
            "UPDATE thankyou_coupons_usagecounter SET used = 0 WHERE customer_key = 'c:bo' AND id > 0 * %s",
            ("counter_used", "counter"),
        ),
        (
            "DELETE FROM thankyou_coupons_usagecounter WHERE customer_key = '' AND id > 0 * %s",
            ("counter_missing", "campaign"),
        ),
        (
            "DELETE FROM thankyou_coupons_usagecounter WHERE customer_key = 'c:ana' AND id > 0 * %s",
            ("counter_missing", "campaign"),
        ),
        (
            "DELETE FROM thankyou_coupons_couponevent WHERE order_ref = '1' AND kind = 'redeemed' AND coupon_id = %s",
            ("event_missing", "redemption"),
        ),
        (
            "DELETE FROM thankyou_coupons_couponevent WHERE order_ref = '2' AND kind = 'reserved' AND coupon_id = %s",
            ("event_missing", "redemption"),
        ),
        (
            "UPDATE thankyou_coupons_coupon SET revoked_at = NULL WHERE state = 'revoked' AND id <> %s",
            ("state", "coupon"),
        ),
        (
            "UPDATE thankyou_coupons_coupon SET revoked_at = issued_at WHERE id = %s",
            ("state", "coupon"),
        ),
        (
            "UPDATE thankyou_coupons_coupon SET state = 'locked', unlocked_at = issued_at WHERE id = %s",
            ("state", "coupon"),
        ),
        (
            "UPDATE thankyou_coupons_redemption SET redeemed_at = NULL WHERE order_ref = '1' AND coupon_id = %s",
            ("state", "redemption"),
        ),
        (
            "UPDATE thankyou_coupons_redemption SET released_at = NULL WHERE order_ref = '3' AND coupon_id = %s",
            ("state", "redemption"),
        ),
        (
            "UPDATE thankyou_coupons_redemption SET released_at = reserved_at WHERE order_ref = '2' AND coupon_id = %s",
            ("state", "redemption"),
        ),
        (
            "UPDATE thankyou_coupons_redemption SET counts_coupon = %s > 0 WHERE order_ref = '3'",
            ("state", "redemption"),
        ),
    ],
    ids=[
        "used-up",
        "used-down",
        "total-counter",
        "customer-counter",
        "total-counter-gone",
        "customer-counter-gone",
        "redeemed-event-gone",
        "reserved-event-gone",
        "revoked-when",
        "not-revoked",
        "locked-and-unlocked",
        "redeemed-when",
        "released-when",
        "not-released",
        "released-and-counted",
    ],
)
def test_each_break_is_named(shop: Coupon, sql: str, drift: tuple[str, str]) -> None:
    """One row changed by hand, one drift reported, and nothing else."""
    raw(sql, shop.pk)
    assert kinds() == [drift]
    assert all(str(found) for found in verify())


@pytest.mark.teeth
def test_a_use_that_is_counted_nowhere(shop: Coupon) -> None:
    """Left out of its coupon's count without being over a limit: neither number is right then."""
    raw("UPDATE thankyou_coupons_redemption SET counts_coupon = %s < 0 WHERE order_ref = '1'", shop.pk)
    assert kinds() == [("coupon_used", "coupon"), ("over_limit", "redemption")]


@pytest.mark.teeth
def test_a_use_that_is_over_no_limit(shop: Coupon) -> None:
    raw("UPDATE thankyou_coupons_redemption SET over_limit = %s > 0 WHERE order_ref = '1'", shop.pk)
    assert kinds() == [("over_limit", "redemption")]


@pytest.mark.teeth
def test_a_live_redemption_that_vanished(shop: Coupon) -> None:
    """Its coupon and both counters say one use too many."""
    raw("DELETE FROM thankyou_coupons_redemption WHERE order_ref = '1' AND coupon_id = %s", shop.pk)
    assert [kind for kind, _model in kinds()] == ["coupon_used", "counter_used", "counter_used"]


def test_queries_do_not_grow(shop: Coupon, django_assert_num_queries: Any) -> None:
    with django_assert_num_queries(10):
        assert verify() == []
    for number in range(20):
        coupon = make_coupon(limit_per_customer=1)
        reserve(code=coupon.code, order_ref=f"more {number}", facts=ANA, now=NOW)
    with django_assert_num_queries(10):
        assert verify() == []


def test_uses_that_nobody_counted_when_their_limit_came() -> None:
    """CO-1: named once for each campaign, and counted by the repair. Whose customer is not known, and what is over a
    limit, is not meant.
    """
    campaign, other = make_campaign(), make_campaign()
    for number, facts in enumerate((ANA, BO, make_facts())):
        for each in (campaign, other):
            coupon = issue(campaign=each, now=NOW)
            reserve(code=coupon.code, order_ref=f"{each.pk} {number}", facts=facts, now=NOW)
    word = make_campaign(code_type="word", word="SPRING", is_unlimited=True)
    reserve(code="SPRING", order_ref="word", facts=ANA, now=NOW)
    Campaign.objects.filter(pk=campaign.pk).update(limit_per_customer=1)
    Campaign.objects.filter(pk=word.pk).update(total_limit=1)
    [drift] = drifts = verify()
    assert str(drift) == f"uncounted: campaign {campaign.pk} has uncounted=2, should have uncounted=0"
    Campaign.objects.update(total_limit=2)
    assert [(each.kind, each.pk, each.stored) for each in verify()] == [
        ("uncounted", campaign.pk, "uncounted=3"),
        ("uncounted", other.pk, "uncounted=3"),
    ]
    drifts = verify()
    assert repair(drifts) == drifts
    assert verify() == []
    assert counters(campaign_id=campaign.pk) == {"": (3, 3), "c:ana": (1, 1), "c:bo": (1, 1)}


def test_what_can_be_recomputed_is_repaired(shop: Coupon) -> None:
    used = shop.used
    raw("UPDATE thankyou_coupons_coupon SET used = 0 WHERE id = %s", shop.pk)
    raw("UPDATE thankyou_coupons_usagecounter SET used = 0, allowed = 0 WHERE customer_key = %s", "")
    raw("DELETE FROM thankyou_coupons_usagecounter WHERE customer_key = %s", "c:ana")
    drifts = verify()
    assert len(drifts) == 3
    assert repair(drifts) == drifts
    assert verify() == []
    shop.refresh_from_db()
    assert shop.used == used
    event = shop.events.get(kind=CouponEvent.Kind.CHANGED)
    assert (event.actor, event.detail) == ("system", {"repaired": "used", "before": 0, "after": used})
    assert UsageCounter.objects.get(customer_key="").used == 3


def test_what_only_people_can_settle_is_left_alone(shop: Coupon) -> None:
    """More uses than the coupon has, a missing event, a state without its time."""
    raw("UPDATE thankyou_coupons_coupon SET used = 0, usage_limit = 1 WHERE id = %s", shop.pk)
    raw(
        "DELETE FROM thankyou_coupons_couponevent WHERE order_ref = '1' AND kind = 'redeemed' AND coupon_id = %s",
        shop.pk,
    )
    raw("UPDATE thankyou_coupons_redemption SET released_at = NULL WHERE order_ref = '3' AND coupon_id = %s", shop.pk)
    drifts = verify()
    assert len(drifts) == 3
    assert repair(drifts) == []
    assert verify() == drifts


def test_a_drift_that_is_gone_by_then(shop: Coupon) -> None:
    """Somebody else was quicker: nothing is changed, and nothing is written into the coupon's life."""
    used = shop.used
    raw("UPDATE thankyou_coupons_coupon SET used = 0 WHERE id = %s", shop.pk)
    drifts = verify()
    Coupon.objects.filter(pk=shop.pk).update(used=used)
    repair(drifts)
    assert not shop.events.filter(kind=CouponEvent.Kind.CHANGED).exists()


def run(*arguments: str) -> tuple[int, str]:
    out = StringIO()
    try:
        call_command("verify_coupons", *arguments, stdout=out)
    except CommandError as error:
        return error.returncode, out.getvalue()
    return 0, out.getvalue()


def test_the_command_says_so_with_its_exit_code(shop: Coupon) -> None:
    assert run() == (0, "drift=0\n")
    raw("UPDATE thankyou_coupons_coupon SET used = 0 WHERE id = %s", shop.pk)
    line = f"coupon_used: coupon {shop.pk} has used=0, should have used={shop.used}\n"
    assert run() == (1, f"{line}drift=1\n")
    assert run("--repair") == (0, f"{line}repaired=1\ndrift=0\n")
    assert run("--repair") == (0, "drift=0\n")
