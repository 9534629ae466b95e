"""The one statement on PostgreSQL; what it decides is tested together with the other way, by the fixture ``way``."""

from __future__ import annotations

import pytest
from djmoney.money import Money

from coupons import quick
from coupons.models import Coupon
from tests.test_coupons.factories import make_coupon

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
