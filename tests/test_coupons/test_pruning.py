"""What nobody needs goes; what was ever used stays."""

from __future__ import annotations

from datetime import timedelta
from io import StringIO
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.utils import timezone

from coupons import pruning
from coupons.bulk import order_batch, work_batch
from coupons.issuing import issue
from coupons.models import Answer, Campaign, Coupon, CouponBatch, CouponEvent, Redemption
from coupons.pruning import Pruned, prune
from coupons.redemption import redeem, release, reserve, restore
from coupons.verifying import verify
from tests.test_coupons.factories import NOW, make_campaign, make_coupon, make_facts

pytestmark = pytest.mark.django_db

YEAR = timedelta(days=365)
FACTS = make_facts()
NOTHING = Pruned(redemptions=0, answers=0, coupons=0, reports=0)


def gone(**changes: int) -> Pruned:
    return Pruned(**{"redemptions": 0, "answers": 0, "coupons": 0, "reports": 0, **changes})


def end(*coupons: Coupon) -> None:
    Campaign.objects.filter(coupons__in=coupons).update(status=Campaign.Status.ENDED)


def in_days(days: int) -> Any:
    return NOW + timedelta(days=days)


def test_reservations_that_were_never_paid() -> None:
    coupon = make_coupon(usage_limit=9)
    for order in ("given back", "kept", "paid", "returned"):
        reserve(code=coupon.code, order_ref=order, facts=FACTS, now=NOW)
    release(order_ref="given back", now=NOW)
    for order in ("paid", "returned"):
        redeem(order_ref=order, now=NOW)
    assert restore(order_ref="returned", because="cancelled", now=NOW)
    assert prune(older_than=YEAR, now=in_days(365)) == NOTHING
    assert prune(older_than=YEAR, now=in_days(366)) == gone(redemptions=1)
    # A use that was redeemed and came back is part of the books: the same order cannot take it again.
    assert set(Redemption.objects.values_list("order_ref", flat=True)) == {"kept", "paid", "returned"}
    # The coupon's life still tells of it.
    assert coupon.events.filter(order_ref="given back").count() == 2
    assert verify() == []


def test_unused_coupons_of_a_campaign_that_is_over() -> None:
    by_hand, by_date, running = make_coupon(), make_coupon(ends_at=in_days(1)), make_coupon()
    end(by_hand)
    assert prune(older_than=YEAR, now=in_days(365)) == NOTHING
    assert prune(older_than=YEAR, now=in_days(367)) == gone(coupons=2)
    assert list(Coupon.objects.all()) == [running]
    assert not CouponEvent.objects.exclude(coupon=running).exists()
    assert Campaign.objects.filter(pk__in=[by_hand.campaign_id, by_date.campaign_id]).count() == 2


def test_coupons_that_anybody_ever_used_stay() -> None:
    """Reserved, redeemed, or redeemed and given back."""
    held, paid, returned, tried = coupons = [make_coupon() for _ in range(4)]
    for coupon in coupons:
        reserve(code=coupon.code, order_ref=f"order {coupon.pk}", facts=FACTS, now=NOW)
    for coupon in (paid, returned):
        redeem(order_ref=f"order {coupon.pk}", now=NOW)
    restore(order_ref=f"order {returned.pk}", because="cancelled", now=NOW)
    release(order_ref=f"order {tried.pk}", now=NOW)
    end(*coupons)
    assert prune(older_than=YEAR, now=in_days(366)) == gone(redemptions=1, coupons=1)
    assert set(Coupon.objects.all()) == {held, paid, returned}


def test_a_coupon_that_something_happened_to_lately_stays() -> None:
    """A campaign that was ended by hand does not say when."""
    coupon = make_coupon()
    end(coupon)
    CouponEvent.objects.create(coupon=coupon, kind=CouponEvent.Kind.EXTENDED, at=in_days(300))
    assert prune(older_than=YEAR, now=in_days(400)) == NOTHING
    assert prune(older_than=YEAR, now=in_days(700)) == gone(coupons=1)


def test_a_public_word_stays() -> None:
    """CO-8: nobody else gets it."""
    campaign = make_campaign(code_type="word", word="SPRING", limit_per_customer=1)
    coupon = issue(campaign=campaign, now=NOW)
    end(coupon)
    Coupon.objects.update(issued_at=NOW)
    CouponEvent.objects.all()._raw_delete("default")  # type: ignore[attr-defined]
    assert prune(older_than=YEAR, now=in_days(9999)) == NOTHING


def test_unused_codes_of_a_batch_go_in_pieces(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pruning, "CHUNK", 10)
    batch = work_batch(batch=order_batch(campaign=make_campaign(), quantity=25, now=NOW), now=NOW)
    used = batch.coupons.all()[0]
    reserve(code=used.code, order_ref="1", facts=FACTS, now=NOW)
    redeem(order_ref="1", now=NOW)
    end(used)
    assert prune(older_than=YEAR, now=in_days(366)) == gone(coupons=24)
    assert batch.coupons.get() == used


def test_answers_whose_time_is_over_go_at_once() -> None:
    """CO-9: as the customer was told; how old everything else must be does not matter."""
    for name, days in (("over", 0), ("kept", 1)):
        Answer.objects.create(
            holder_key="c:ana", question_name=name, label=name, purpose="To know", value="x", delete_after=in_days(days)
        )
    assert prune(older_than=YEAR, now=NOW) == gone(answers=1)
    assert Answer.objects.get().question_name == "kept"


def test_reports_of_old_imports() -> None:
    """The rows go, the numbers stay."""
    batch = CouponBatch.objects.create(
        campaign=make_campaign(),
        kind="imported",
        status="done",
        quantity=1,
        refused=1,
        rejected=[[2, "typo"]],
        finished_at=NOW,
    )
    assert prune(older_than=YEAR, now=in_days(365)) == NOTHING
    assert prune(older_than=YEAR, now=in_days(366)) == gone(reports=1)
    batch.refresh_from_db()
    assert (batch.rejected, batch.refused) == ([], 1)
    assert prune(older_than=YEAR, now=in_days(366)) == NOTHING


def everything_old() -> None:
    tried, unused = make_coupon(usage_limit=2), make_coupon()
    reserve(code=tried.code, order_ref="1", facts=FACTS, now=NOW)
    release(order_ref="1", now=NOW)
    end(tried, unused)
    Answer.objects.create(
        holder_key="c:ana", question_name="q", label="q", purpose="To know", value="x", delete_after=NOW
    )
    CouponBatch.objects.create(
        campaign=tried.campaign, kind="imported", status="done", quantity=1, rejected=[[2, "typo"]], finished_at=NOW
    )


def test_a_dry_run_says_what_would_go_and_touches_nothing() -> None:
    everything_old()
    would = prune(older_than=YEAR, dry_run=True, now=in_days(366))
    assert would == gone(redemptions=1, answers=1, coupons=2, reports=1)
    assert (Redemption.objects.count(), Answer.objects.count(), Coupon.objects.count()) == (1, 1, 2)
    assert prune(older_than=YEAR, now=in_days(366)) == would
    assert prune(older_than=YEAR, now=in_days(366)) == NOTHING


def test_the_last_month_is_kept() -> None:
    """CD-4: nobody gets the same offer twice in 30 days, which the coupons themselves remember."""
    with pytest.raises(ValueError, match="30"):
        prune(older_than=timedelta(days=29))
    with pytest.raises(CommandError, match="30"):
        call_command("prune_coupons", "--days", "29")


def test_the_command(monkeypatch: pytest.MonkeyPatch) -> None:
    everything_old()
    monkeypatch.setattr(timezone, "now", lambda: in_days(100))
    out = StringIO()
    call_command("prune_coupons", "--days", "90", "--dry-run", stdout=out)
    call_command("prune_coupons", "--days", "90", stdout=out)
    call_command("prune_coupons", stdout=out)
    assert out.getvalue().splitlines() == [
        "would_go: redemptions=1 answers=1 coupons=2 reports=1",
        "gone: redemptions=1 answers=1 coupons=2 reports=1",
        "gone: redemptions=0 answers=0 coupons=0 reports=0",
    ]
