"""Issuing a coupon once, and its personal deadline (TY-8, CD-2, CD-3, AX-2)."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.db import IntegrityError, connection, transaction

from coupons import codes
from coupons.deadlines import extend
from coupons.exceptions import CampaignNotRunning, DeadlineOver, NoMoreExtensions
from coupons.issuing import issue
from coupons.models import Campaign, Coupon, CouponEvent, Question
from coupons.quoting import quote
from coupons.signals import coupon_issued, deadline_extended
from tests.test_coupons.factories import NOW, make_campaign, make_coupon, make_facts

pytestmark = pytest.mark.django_db


def test_one_reason_one_coupon() -> None:
    """TY-8, CD-3: the same key gives the same coupon with the same end, whenever it is asked for."""
    campaign = make_campaign(deadline_minutes=60)
    first = issue(campaign=campaign, issue_key="order 1", now=NOW)
    for minutes in (0, 30, 500):
        again = issue(campaign=campaign, issue_key="order 1", now=NOW + timedelta(minutes=minutes))
        assert (again.pk, again.ends_at) == (first.pk, NOW + timedelta(minutes=60))
    assert issue(campaign=campaign, issue_key="order 2", now=NOW).pk != first.pk


def test_without_a_key_every_call_makes_a_coupon() -> None:
    """Nulls do not collide."""
    campaign = make_campaign(uses_per_coupon=3)
    made = [issue(campaign=campaign, now=NOW), issue(campaign=campaign, usage_limit=7, now=NOW)]
    assert len({coupon.code for coupon in made}) == 2
    assert [coupon.usage_limit for coupon in made] == [3, 7]


@pytest.mark.parametrize(
    "changes",
    [
        {"status": Campaign.Status.DRAFT},
        {"status": Campaign.Status.PAUSED},
        {"status": Campaign.Status.ENDED},
        {"starts_at": NOW + timedelta(seconds=1)},
        {"ends_at": NOW},
    ],
)
def test_a_campaign_that_is_not_running_gives_nothing_new(changes: dict[str, Any]) -> None:
    """But what it gave before is found again (CD-3)."""
    campaign = make_campaign()
    before = issue(campaign=campaign, issue_key="before", now=NOW)
    for name, value in changes.items():
        setattr(campaign, name, value)
    campaign.save()
    with pytest.raises(CampaignNotRunning):
        issue(campaign=campaign, issue_key="after", now=NOW)
    assert issue(campaign=campaign, issue_key="before", now=NOW).pk == before.pk


def test_a_code_that_is_taken_is_drawn_again(monkeypatch: pytest.MonkeyPatch) -> None:
    """CO-5: UNIQUE decides."""
    taken, fresh = codes.generate(), codes.generate()
    drawn = iter([taken, taken, fresh])
    monkeypatch.setattr(Coupon._meta.get_field("code"), "_get_default", lambda: next(drawn))
    campaign = make_campaign()
    assert [issue(campaign=campaign, now=NOW).code for _ in range(2)] == [taken, fresh]


def test_giving_out_is_written_down(django_capture_on_commit_callbacks: Any) -> None:
    """CO-11: once, with who did it and when, in the transaction of the coupon."""
    campaign = make_campaign()
    issue(campaign=campaign, issue_key="order 1", actor="user 7", now=NOW)
    coupon = issue(campaign=campaign, issue_key="order 1", actor="user 8", now=NOW + timedelta(days=1))
    [event] = CouponEvent.objects.all()
    assert (event.coupon, event.kind, event.actor, event.at) == (coupon, "issued", "user 7", NOW)
    with pytest.raises(RuntimeError), transaction.atomic():
        issue(campaign=campaign, now=NOW)
        raise RuntimeError
    assert CouponEvent.objects.count() == 1


def test_a_campaign_that_asks_gives_locked_coupons() -> None:
    """CO-9, CD-3: their deadline waits too, and is the one that was promised when they were given out."""
    campaign = make_campaign(deadline_minutes=60)
    Question.objects.create(campaign=campaign, label="Which tea?", purpose="To suggest some.")
    coupon = issue(campaign=campaign, now=NOW)
    assert (coupon.state, coupon.ends_at, coupon.deadline_minutes) == ("locked", None, 60)
    assert not coupon.is_extendable(NOW)
    gift = issue(campaign=campaign, locked=False, now=NOW)
    assert (gift.state, gift.ends_at) == ("available", NOW + timedelta(minutes=60))


def test_any_coupon_can_be_given_out_locked() -> None:
    """CO-9: the caller may know why."""
    assert issue(campaign=make_campaign(), locked=True, now=NOW).state == "locked"


def test_issuing_costs_what_it_must(django_assert_num_queries: Any) -> None:
    """The key, the questions, the coupon and its event, with two for the savepoint; a repeated reason: one."""
    campaign = make_campaign()
    with django_assert_num_queries(6):
        issue(campaign=campaign, issue_key="order 1", now=NOW)
    with django_assert_num_queries(1):
        issue(campaign=campaign, issue_key="order 1", now=NOW)


def test_a_personal_deadline_never_outlasts_the_campaign() -> None:
    """CD-2: the display never exceeds the truth."""
    end = NOW + timedelta(minutes=10)
    coupon = make_coupon(deadline_minutes=60, ends_at=end)
    assert coupon.ends_at == coupon.valid_until == end
    assert not coupon.is_extendable(NOW)
    with pytest.raises(NoMoreExtensions):
        extend(coupon=coupon, seen_extensions=0, now=NOW)


def test_the_end_that_is_shown() -> None:
    """CD-2: shown as over at once, accepted for the grace."""
    coupon = make_coupon(deadline_minutes=60)
    end = NOW + timedelta(minutes=60)
    assert not coupon.is_over(end - timedelta(seconds=1))
    assert coupon.is_over(end)
    assert make_coupon().valid_until is None
    assert not make_coupon().is_over(NOW + timedelta(days=999))
    assert make_coupon(ends_at=end).valid_until == end


def test_more_time_ten_times() -> None:
    """AX-2: each adds the same time, and the extended end is the one that is honoured (CD-3)."""
    coupon = make_coupon(deadline_minutes=60)
    for seen in range(10):
        assert coupon.is_extendable(NOW)
        coupon = extend(coupon=coupon, seen_extensions=seen, now=NOW)
        assert (coupon.extensions, coupon.ends_at) == (seen + 1, NOW + timedelta(minutes=60 * (seen + 2)))
    assert not coupon.is_extendable(NOW)
    with pytest.raises(NoMoreExtensions):
        extend(coupon=coupon, seen_extensions=10, now=NOW)
    assert quote(codes=[coupon.code], facts=make_facts(), now=NOW + timedelta(hours=10)).refusals == ()


def test_a_double_click_extends_once() -> None:
    """AX-2: the second click gets the coupon as it is."""
    coupon = make_coupon(deadline_minutes=60)
    ends = {extend(coupon=coupon, seen_extensions=0, now=NOW).ends_at for _ in range(3)}
    assert ends == {NOW + timedelta(minutes=120)}


def test_a_number_of_extensions_that_never_was_extends_nothing() -> None:
    """AX-2."""
    coupon = make_coupon(deadline_minutes=60)
    with pytest.raises(NoMoreExtensions):
        extend(coupon=coupon, seen_extensions=5, now=NOW)
    coupon.refresh_from_db()
    assert (coupon.extensions, coupon.ends_at) == (0, NOW + timedelta(minutes=60))


@pytest.mark.parametrize(("minutes", "possible"), [(1, True), (1200, True), (1201, False), (None, False)])
def test_only_short_deadlines_can_be_extended(minutes: int | None, possible: bool) -> None:
    """AX-2: longer ones fall under the 20-hour exception."""
    coupon = make_coupon(deadline_minutes=minutes)
    assert coupon.is_extendable(NOW) is possible
    if not possible:
        with pytest.raises(NoMoreExtensions):
            extend(coupon=coupon, seen_extensions=0, now=NOW)


def test_no_more_time_after_the_end_and_its_grace() -> None:
    """AX-2, CD-2, CD-3: over is over."""
    coupon = make_coupon(deadline_minutes=60)
    end = NOW + timedelta(minutes=60)
    with pytest.raises(DeadlineOver):
        extend(coupon=coupon, seen_extensions=0, now=end + timedelta(seconds=91))
    assert extend(coupon=coupon, seen_extensions=0, now=end + timedelta(seconds=60)).extensions == 1


def test_a_revoked_coupon_gets_no_time() -> None:
    """AX-2."""
    coupon = make_coupon(deadline_minutes=60)
    Coupon.objects.update(state=Coupon.State.REVOKED)
    with pytest.raises(DeadlineOver):
        extend(coupon=coupon, seen_extensions=0, now=NOW)


def test_a_later_change_of_the_campaign_breaks_no_promise() -> None:
    """CD-3: the deadline is the coupon's own."""
    coupon = make_coupon(deadline_minutes=60)
    Campaign.objects.update(deadline_minutes=5)
    assert extend(coupon=coupon, seen_extensions=0, now=NOW).ends_at == NOW + timedelta(minutes=120)


def test_news_goes_out_after_the_commit(django_capture_on_commit_callbacks: Any) -> None:
    """DESIGN §4: signals go up after commit, and a receiver that raises disturbs nobody."""
    heard: list[Coupon] = []

    def listen(sender: type[Coupon], coupon: Coupon, **kwargs: Any) -> None:
        heard.append(coupon)
        raise RuntimeError

    for signal in (coupon_issued, deadline_extended):
        signal.connect(listen)
    try:
        with django_capture_on_commit_callbacks(execute=True):
            coupon = make_coupon(deadline_minutes=60)
            assert heard == []
        with django_capture_on_commit_callbacks(execute=True):
            extend(coupon=coupon, seen_extensions=0, now=NOW)
            extend(coupon=coupon, seen_extensions=0, now=NOW)
        assert heard == [coupon, coupon]
    finally:
        for signal in (coupon_issued, deadline_extended):
            signal.disconnect(listen)


@pytest.mark.parametrize("used", [-1, 2])
def test_the_database_itself_keeps_the_limit(used: int) -> None:
    """CO-1: the constraint is the last line, whatever the code does."""
    coupon = make_coupon(usage_limit=1)
    with pytest.raises(IntegrityError), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("UPDATE thankyou_coupons_coupon SET used = %s WHERE id = %s", [used, coupon.pk])
