"""The one statement on PostgreSQL; what it decides is tested together with the other way, by the fixture ``way``."""

from __future__ import annotations

from typing import Any

import pytest
from djmoney.money import Money

from coupons.exceptions import CouponBusy, CouponError, InvalidCode
from coupons.ledger import holding, limits, quick
from coupons.models import Coupon, Redemption
from coupons.redemption import reserve
from coupons.signals import coupon_released, coupon_reserved
from tests.test_coupons.books import life, used
from tests.test_coupons.factories import NOW, make_coupon, make_facts

pytestmark = [pytest.mark.django_db, pytest.mark.postgres]


def test_inside_a_transaction_it_is_left_to_the_other_way() -> None:
    """Speed: an error would break the caller's transaction."""
    assert not quick.is_possible()


def test_the_quick_way_reads_a_coupon_as_django_does() -> None:
    """Speed: every column of both, amounts and lists included."""
    made = make_coupon(
        benefit="amount", amount=Money(5, "EUR"), countries=["DE"], minimum_spend=Money(9, "EUR"), deadline_minutes=60
    )
    quickly, slowly = quick.fetch(made.code), Coupon.objects.select_related("campaign").get(pk=made.pk)
    assert quickly is not None
    assert quick.fetch("NONE") is None
    for one, other in ((quickly, slowly), (quickly.campaign, slowly.campaign)):
        for field in one._meta.concrete_fields:
            assert getattr(one, field.attname) == getattr(other, field.attname), field
        assert not one._state.adding


@pytest.mark.parametrize("way", ["statement"], indirect=True)
@pytest.mark.parametrize("error", [CouponBusy(), InvalidCode(reason="over"), limits.NoUseLeft(1)], ids=repr)
def test_what_cannot_be_kept_is_undone_and_nobody_hears_of_it(
    way: str, error: Exception, monkeypatch: pytest.MonkeyPatch, django_capture_on_commit_callbacks: Any
) -> None:
    """CO-1, CO-3: the order turns out to hold something else, and the two cannot be settled."""
    heard: list[object] = []

    def settle(*args: object, **kwargs: object) -> list[Redemption]:
        raise error

    def listen(**facts: object) -> None:
        heard.append(facts)

    coupon = make_coupon()
    monkeypatch.setattr(holding, "_is_alone", lambda row: False)
    monkeypatch.setattr(holding, "_settle", settle)
    for signal in (coupon_reserved, coupon_released):
        signal.connect(listen)
    try:
        with django_capture_on_commit_callbacks(execute=True), pytest.raises(CouponError):
            reserve(code=coupon.code, order_ref="1", facts=make_facts(), now=NOW)
    finally:
        for signal in (coupon_reserved, coupon_released):
            signal.disconnect(listen)
    assert used(coupon) == 0
    assert not Redemption.objects.live().exists()
    assert life(coupon) == [("reserved", "shop", "1"), ("released", "shop", "1")]
    assert heard == []


@pytest.mark.parametrize("way", ["statement"], indirect=True)
def test_what_is_settled_after_a_second_look_is_news_once(
    way: str, monkeypatch: pytest.MonkeyPatch, django_capture_on_commit_callbacks: Any
) -> None:
    """CO-1: by whichever way it got into the books."""
    heard: list[Redemption] = []

    def listen(redemption: Redemption, **facts: object) -> None:
        heard.append(redemption)

    coupon = make_coupon()
    monkeypatch.setattr(holding, "_is_alone", lambda row: False)
    coupon_reserved.connect(listen)
    try:
        with django_capture_on_commit_callbacks(execute=True):
            row = reserve(code=coupon.code, order_ref="1", facts=make_facts(), now=NOW)
    finally:
        coupon_reserved.disconnect(listen)
    assert heard == [row]
    assert used(coupon) == 1
