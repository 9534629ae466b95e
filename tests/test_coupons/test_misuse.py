"""What a developer may get wrong is said at once, and nothing is written (CO-2, CO-11)."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest
from django.utils import timezone
from djmoney.money import Money

from coupons.deadlines import extend
from coupons.issuing import issue
from coupons.models import Coupon, CouponEvent, Redemption
from coupons.quoting import quote
from coupons.redemption import redeem, release, reserve, reserve_all
from tests.test_coupons.factories import make_campaign, make_facts

pytestmark = pytest.mark.django_db

#: Without a zone: nobody knows which instant it is.
NAIVE = datetime(2027, 1, 1, 12, 0)  # noqa: DTZ001


@pytest.mark.parametrize("verb", ["issue", "quote", "reserve", "release", "redeem", "extend"])
def test_a_time_without_a_zone_is_refused(verb: str) -> None:
    """CD-7: a naive "now" would be another instant, and a reservation over before it began."""
    coupon = issue(campaign=make_campaign())
    calls: dict[str, Any] = {
        "issue": lambda: issue(campaign=coupon.campaign, now=NAIVE),
        "quote": lambda: quote(codes=[coupon.code], facts=make_facts(), now=NAIVE),
        "reserve": lambda: reserve(code=coupon.code, order_ref="1", facts=make_facts(), now=NAIVE),
        "release": lambda: release(order_ref="1", now=NAIVE),
        "redeem": lambda: redeem(order_ref="1", now=NAIVE),
        "extend": lambda: extend(coupon=coupon, seen_extensions=0, now=NAIVE),
    }
    with pytest.raises(ValueError, match="time zone"):
        calls[verb]()
    assert (Coupon.objects.count(), Redemption.objects.count()) == (1, 0)


def test_an_issue_key_belongs_to_one_campaign() -> None:
    """TY-8: nobody gets the coupon of another campaign by a key that was used twice."""
    issue(campaign=make_campaign(), issue_key="order 1")
    with pytest.raises(ValueError, match="another campaign"):
        issue(campaign=make_campaign(), issue_key="order 1")


@pytest.mark.parametrize(
    "options", [{"issue_key": ""}, {"usage_limit": 0}, {"usage_limit": -1}], ids=["empty key", "zero", "negative"]
)
def test_nonsense_is_not_issued(options: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="must"):
        issue(campaign=make_campaign(), **options)
    assert not Coupon.objects.exists()


def test_an_order_has_a_name() -> None:
    """CO-2: under an empty name the uses of two orders would be one."""
    coupon = issue(campaign=make_campaign())
    for call in (
        lambda: reserve(code=coupon.code, order_ref="", facts=make_facts()),
        lambda: reserve_all(codes=[coupon.code], order_ref="", facts=make_facts()),
        lambda: redeem(order_ref="", code=coupon.code),
    ):
        with pytest.raises(ValueError, match="order_ref"):
            call()
    assert not Redemption.objects.exists()


def test_nothing_negative_is_taken_off() -> None:
    """CO-4."""
    coupon = issue(campaign=make_campaign())
    with pytest.raises(ValueError, match="cannot be"):
        redeem(order_ref="1", code=coupon.code, discount=Money(-5, "EUR"))
    assert not Redemption.objects.exists()


def test_the_audit_trail_is_not_rewritten() -> None:
    """CO-11: neither one row nor many; with its coupon it goes."""
    coupon = issue(campaign=make_campaign())
    with pytest.raises(TypeError):
        CouponEvent.objects.update(actor="nobody")
    with pytest.raises(TypeError):
        CouponEvent.objects.filter(coupon=coupon).delete()
    with pytest.raises(TypeError):
        coupon.events.get().delete()
    event = coupon.events.get()
    event.at = timezone.now() - timedelta(days=1)
    with pytest.raises(TypeError):
        event.save()
    coupon.delete()
    assert not CouponEvent.objects.exists()
