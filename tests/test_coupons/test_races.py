"""Many checkouts at once, on PostgreSQL: invariants, and proof that the tests would notice a missing guard."""

from __future__ import annotations

import itertools
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.db import OperationalError, connection
from django.db.models import CheckConstraint, F, Model

from coupons import redemption
from coupons.deadlines import extend
from coupons.exceptions import CouponBusy, InvalidCode
from coupons.issuing import issue
from coupons.ledger import holding, limits, quick, uses
from coupons.merging import merge
from coupons.models import Campaign, Coupon, Redemption, UsageCounter
from coupons.redemption import redeem, release, release_expired, reserve, reserve_all, restore
from tests.test_coupons.books import check_books, used
from tests.test_coupons.crowd import THREADS, AtOnce
from tests.test_coupons.factories import NOW, make_campaign, make_coupon, make_facts

pytestmark = [pytest.mark.postgres, pytest.mark.django_db(transaction=True)]

ROUNDS = 50
LATER = NOW + timedelta(minutes=31)
FACTS = make_facts(customer_key="c:ann")


@pytest.fixture
def by_steps(monkeypatch: pytest.MonkeyPatch) -> None:
    """Leave the one statement out: for what is only decided step by step."""
    monkeypatch.setattr(quick, "is_possible", lambda: False)


@contextmanager
def without_constraint(model: type[Model], name: str) -> Iterator[None]:
    """Take the last line of defence away."""
    [constraint] = [each for each in model._meta.constraints if each.name == name]
    assert isinstance(constraint, CheckConstraint)
    with connection.schema_editor() as editor:
        editor.remove_constraint(model, constraint)
    try:
        yield
    finally:
        Redemption.objects.all().delete()
        Coupon.objects.update(used=0)
        UsageCounter.objects.all().delete()
        with connection.schema_editor() as editor:
            editor.add_constraint(model, constraint)


def go_through_checkouts(at_once: AtOnce, codes: Iterable[str]) -> list[Any]:
    """Let each thread take a code through a whole checkout of its own."""
    choice = list(itertools.islice(itertools.cycle(codes), THREADS))

    def checkout(number: int) -> str:
        order = f"{choice[0]} {number}"
        reserve(code=choice[number], order_ref=order, facts=FACTS, now=NOW)
        redeem(order_ref=order, now=NOW)
        return "paid"

    return at_once(checkout)


def make_limited(kind: str, limit: int) -> list[str]:
    """Return the codes of a campaign of its own with this limit: of the coupon, in all, or for each customer."""
    if kind == "coupon":
        return [make_coupon(usage_limit=limit).code]
    name = {"total": "total_limit", "customer": "limit_per_customer"}[kind.partition(" ")[0]]
    if kind.endswith("word"):
        word = f"WORD{Campaign.objects.count()}"
        return [issue(campaign=make_campaign(code_type="word", word=word, **{name: limit}), now=NOW).code]
    campaign = make_campaign(**{name: limit})
    # All at once: issuing them one by one would take longer than the race.
    return [each.code for each in Coupon.objects.bulk_create(Coupon(campaign=campaign) for _ in range(THREADS))]


@pytest.mark.parametrize("limit", [1, 7])
@pytest.mark.parametrize(
    ("kind", "rounds"),
    [
        ("coupon", ROUNDS),
        ("total singles", ROUNDS),
        ("customer singles", ROUNDS),
        # The same limits once more, and one row less to get past.
        ("total word", 5),
        ("customer word", 5),
    ],
)
def test_twenty_checkouts_never_one_too_many(kind: str, rounds: int, limit: int, at_once: AtOnce) -> None:
    """CO-1, CO-8, CO-10: exactly the limit, whoever is quicker; the others get the one refusal."""
    for _ in range(rounds):
        codes = make_limited(kind, limit)
        results = go_through_checkouts(at_once, codes)
        assert results.count("paid") == limit, results
        assert sum(isinstance(result, InvalidCode) for result in results) == THREADS - limit, results
        assert Redemption.objects.live().filter(coupon__code__in=codes).count() == limit
    assert not Redemption.objects.filter(over_limit=True).exists()
    check_books()


def test_twenty_checkouts_step_by_step(at_once: AtOnce, by_steps: None) -> None:
    """CO-1: the same for a shop whose checkout has a transaction of its own."""
    for kind in ("coupon", "total singles", "customer word"):
        for _ in range(3):
            assert go_through_checkouts(at_once, make_limited(kind, 7)).count("paid") == 7
    check_books()


def look_then_take(coupon_id: int, *, now: datetime) -> bool:
    coupon = Coupon.objects.get(pk=coupon_id)
    if coupon.is_used_up():
        return False
    # As long as a busy shop may take between two statements.
    time.sleep(0.05)
    coupon.used += 1
    coupon.save(update_fields=["used"])
    return True


def look_then_count(key: limits.Key, *, limit: int) -> bool:
    row, _ = UsageCounter.objects.get_or_create(**key._asdict(), defaults={"allowed": limit})
    if row.used >= limit:
        return False
    time.sleep(0.05)
    row.used += 1
    row.save(update_fields=["used"])
    return True


@pytest.mark.teeth
@pytest.mark.parametrize("kind", ["coupon", "total singles", "total word", "customer singles"])
def test_without_the_guards_more_get_in(
    kind: str, at_once: AtOnce, by_steps: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    """CO-1: the same checkouts with "look, then take" let in more than the limit, so the test above can fail."""
    monkeypatch.setattr(uses, "lock", lambda coupon_ids: None)
    monkeypatch.setattr(uses, "take", look_then_take)
    monkeypatch.setattr(limits, "take", look_then_count)
    assert go_through_checkouts(at_once, make_limited(kind, 7)).count("paid") > 7


@pytest.mark.teeth
@pytest.mark.parametrize(
    ("kind", "guard", "model", "constraint"),
    [
        pytest.param("coupon", "HAS_USE", Coupon, "thankyou_coupons_coupon_used", id="coupon"),
        pytest.param("total singles", "HAS_ROOM", UsageCounter, "thankyou_coupons_counter_used", id="counter"),
    ],
)
def test_the_statement_needs_its_guards(
    kind: str, guard: str, model: type[Model], constraint: str, at_once: AtOnce, monkeypatch: pytest.MonkeyPatch
) -> None:
    """CO-1: without the guard the CHECK still holds; without both, all get in."""
    monkeypatch.setattr(quick, guard, "true")
    assert go_through_checkouts(at_once, make_limited(kind, 7)).count("paid") == 7
    with without_constraint(model, constraint):
        assert go_through_checkouts(at_once, make_limited(kind, 7)).count("paid") > 7


@pytest.mark.teeth
def test_without_the_guard_the_constraint_still_holds(
    at_once: AtOnce, by_steps: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    """CO-1: an unguarded ``used + 1`` is stopped by the CHECK, the last line."""

    def unguarded(coupon_id: int, *, now: datetime) -> bool:
        return bool(Coupon.objects.filter(pk=coupon_id).update(used=F("used") + 1))

    monkeypatch.setattr(uses, "take", unguarded)
    assert go_through_checkouts(at_once, make_limited("coupon", 7)).count("paid") == 7


def test_nothing_is_burnt_and_nothing_counted_twice(at_once: AtOnce) -> None:
    """CO-2: ten orders, each sent twice at once, and just ten uses, so that no order may be refused.

    By turns the order is paid; its card is declined and the second try paid; given up, said twice; paid and cancelled;
    or left alone, and its reservation runs out. Afterwards just what is not paid is free.
    """

    def checkout(number: int) -> str:
        order, kind = f"{coupon.pk} {number // 2}", number // 2 % 5
        for _ in range(2 if kind == 1 else 1):
            reserve(code=coupon.code, order_ref=order, facts=FACTS, now=NOW)
        if kind in (0, 1, 3):
            redeem(order_ref=order, now=NOW)
        if kind == 2:
            release(order_ref=order, now=NOW)
            release(order_ref=order, now=NOW)
        return "done"

    def clean_up(number: int) -> object:
        # Whoever was late may have reserved once more what the other gave up.
        if number < 2:
            return [release(order_ref=f"{coupon.pk} {order}", now=NOW) for order in (2, 7)]
        if number < 4:
            return [restore(order_ref=f"{coupon.pk} {order}", because="cancelled", now=NOW) for order in (3, 8)]
        return release_expired(now=LATER)

    for _ in range(10):
        coupon = make_coupon(usage_limit=10, total_limit=10, limit_per_customer=10)
        assert at_once(checkout) == ["done"] * THREADS
        at_once(clean_up, threads=6)
        assert used(coupon) == 4
        for free in range(6):
            reserve(code=coupon.code, order_ref=f"{coupon.pk} free {free}", facts=FACTS, now=LATER)
        with pytest.raises(InvalidCode):
            reserve(code=coupon.code, order_ref=f"{coupon.pk} one too many", facts=FACTS, now=LATER)
        Redemption.objects.all().delete()
        Coupon.objects.update(used=0)
        UsageCounter.objects.all().delete()


@pytest.mark.teeth
def test_without_its_guard_a_use_comes_back_twice(at_once: AtOnce, monkeypatch: pytest.MonkeyPatch) -> None:
    """CO-2: "look, then give back", which the books above would show."""

    def look_then_give_back(rows: Iterable[Redemption], *, now: datetime, **_: Any) -> list[Redemption]:
        rows = list(rows)
        time.sleep(0.05)
        for row in rows:
            Coupon.objects.filter(pk=row.coupon_id).update(used=F("used") - 1)
            Redemption.objects.filter(pk=row.pk).update(state="released", counts_coupon=False)
        return rows

    coupon = make_coupon(usage_limit=30)
    for order in range(25):
        reserve(code=coupon.code, order_ref=str(order), facts=FACTS, now=NOW)
    at_once(lambda number: release(order_ref="0", now=NOW))
    assert used(coupon) == 24
    monkeypatch.setattr(uses, "lock", lambda coupon_ids: None)
    count = itertools.count()
    monkeypatch.setattr(uses, "order_lock", lambda order_ref: next(count))
    monkeypatch.setattr(redemption, "give_back", look_then_give_back)
    at_once(lambda number: release(order_ref="1", now=NOW))
    with pytest.raises(AssertionError):
        check_books()


def test_one_order_reserved_by_many_requests(at_once: AtOnce) -> None:
    """CO-2: a customer who clicks twenty times holds one use."""
    coupon = make_coupon(usage_limit=5)
    results = at_once(lambda _: reserve(code=coupon.code, order_ref="1", facts=FACTS, now=NOW).pk)
    assert len(set(results)) == 1, results
    assert used(coupon) == 1


@pytest.mark.parametrize("way", ["statement", "steps"])
def test_one_order_never_holds_two_coupons_that_do_not_go_together(
    way: str, at_once: AtOnce, monkeypatch: pytest.MonkeyPatch
) -> None:
    """CO-1: twenty codes for one order at once, each in a request of its own, by ``reserve`` and ``reserve_all``."""
    if way == "steps":
        monkeypatch.setattr(quick, "is_possible", lambda: False)
    for round_ in range(5):
        campaign = make_campaign()
        codes = [issue(campaign=campaign, now=NOW).code for _ in range(THREADS - 1)]
        codes.append(make_coupon(combinable=False).code)
        order = f"order {round_}"

        def checkout(number: int) -> object:
            if number % 4:
                return reserve(code=codes[number], order_ref=order, facts=FACTS, now=NOW)  # noqa: B023
            return reserve_all(codes=[codes[number]], order_ref=order, facts=FACTS, now=NOW)  # noqa: B023

        results = at_once(checkout)
        assert all(isinstance(each, Redemption | list | InvalidCode) for each in results), results
        assert Redemption.objects.live().filter(order_ref=order).count() == 1
    check_books()


def reserve_while_the_coupons_are_held(at_once: AtOnce) -> int:
    """Let nineteen requests of one order, with a coupon each, wait for the same moment; return how many it holds."""
    campaign = make_campaign()
    coupons = [issue(campaign=campaign, now=NOW) for _ in range(THREADS)]

    def work(number: int) -> None:
        if number == 0:
            with uses.settling("another order"):
                uses.lock(coupon.pk for coupon in coupons)
                time.sleep(1)
        else:
            time.sleep(0.2)
            reserve(code=coupons[number].code, order_ref="1", facts=FACTS, now=NOW)

    at_once(work)
    return Redemption.objects.live().filter(order_ref="1").count()


def test_one_order_holds_one_of_many_that_were_asked_for_at_the_same_moment(at_once: AtOnce) -> None:
    """CO-1: none of the statements can see the others."""
    assert reserve_while_the_coupons_are_held(at_once) == 1


@pytest.mark.teeth
@pytest.mark.parametrize("way", ["statement", "steps"])
def test_without_the_orders_lock_it_holds_several(way: str, at_once: AtOnce, monkeypatch: pytest.MonkeyPatch) -> None:
    """CO-1: the order's lock and, after the one statement, the second look are what decides."""
    count = itertools.count()
    monkeypatch.setattr(uses, "order_lock", lambda order_ref: next(count))
    monkeypatch.setattr(holding, "_is_alone", lambda row: True)
    if way == "steps":
        monkeypatch.setattr(quick, "is_possible", lambda: False)
    assert reserve_while_the_coupons_are_held(at_once) > 1


def test_expiry_and_release_at_once_give_back_once(at_once: AtOnce) -> None:
    """CO-2: the sweep, the shop and the next customers all want to give it back."""
    coupon = make_coupon(usage_limit=1, total_limit=1)
    reserve(code=coupon.code, order_ref="old", facts=FACTS, now=NOW)

    def work(number: int) -> object:
        if number % 3 == 0:
            return release_expired(now=LATER)
        if number % 3 == 1:
            return release(order_ref="old", now=LATER)
        return reserve(code=coupon.code, order_ref=f"new {number}", facts=FACTS, now=LATER)

    results = at_once(work)
    assert sum(isinstance(result, Redemption) for result in results) == 1, results
    assert all(isinstance(result, int | list | Redemption | InvalidCode) for result in results), results
    assert used(coupon) == coupon.redemptions.reserved().count() == 1


def test_payment_and_expiry_at_once(at_once: AtOnce) -> None:
    """CO-2: whichever comes first, the order has its use and the counters are right."""
    for order in range(10):
        coupon = make_coupon(usage_limit=3, total_limit=3)
        reserve(code=coupon.code, order_ref=f"{order}", facts=FACTS, now=NOW)
        at_once(
            lambda n, ref=f"{order}": redeem(order_ref=ref, now=LATER) if n % 2 else release_expired(now=LATER),
            threads=6,
        )
        assert coupon.redemptions.get().state == "redeemed"
        assert used(coupon) == 1


def test_payment_and_cancellation_at_once(at_once: AtOnce) -> None:
    """CO-2: reported several times and in any order, it comes back at most once, and the books are right."""
    for order in range(10):
        coupon = make_coupon(usage_limit=3, limit_per_customer=3)
        reserve(code=coupon.code, order_ref=f"{order}", facts=FACTS, now=NOW)

        def report(number: int, ref: str = f"{order}") -> object:
            if number % 2:
                return redeem(order_ref=ref, now=NOW)
            return restore(order_ref=ref, because="cancelled", now=NOW)

        assert all(isinstance(each, list) for each in at_once(report, threads=6))
        assert used(coupon) == 0


def test_a_guest_becomes_an_account_while_shopping(at_once: AtOnce) -> None:
    """CO-10: whatever is moved or left behind, the books are right; the next call moves the rest."""
    campaign = make_campaign(limit_per_customer=50, total_limit=100)
    codes = [issue(campaign=campaign, now=NOW, holder_key="c:guest").code for _ in range(THREADS)]
    guest = make_facts(customer_key="c:guest")

    def work(number: int) -> object:
        if number % 5 == 0:
            return merge(from_key="c:guest", to_key="c:account")
        reserve(code=codes[number], order_ref=str(number), facts=guest, now=NOW)
        return release(order_ref=str(number), now=NOW) if number % 2 else redeem(order_ref=str(number), now=NOW)

    for _ in range(3):
        results = at_once(work)
        assert not any(isinstance(each, OperationalError | CouponBusy) for each in results), results
        check_books()
    merge(from_key="c:guest", to_key="c:account")
    check_books()
    assert not Redemption.objects.filter(customer_key="c:guest").exists()


def test_one_reason_twenty_requests_one_coupon(at_once: AtOnce) -> None:
    """TY-8: a page that is loaded twenty times at once gives one coupon."""
    campaign = make_campaign()
    results = at_once(lambda _: issue(campaign=campaign, issue_key="order 1, block 1", now=NOW).code)
    assert len(set(results)) == 1, results
    assert Coupon.objects.count() == 1


def test_twenty_clicks_on_more_time_extend_once(at_once: AtOnce) -> None:
    """AX-2: the guard on the number that the page showed."""
    coupon = make_coupon(deadline_minutes=60)
    results = at_once(lambda _: extend(coupon=coupon, seen_extensions=0, now=NOW).extensions)
    assert set(results) == {1}
    coupon.refresh_from_db()
    assert (coupon.extensions, coupon.ends_at) == (1, NOW + timedelta(minutes=120))
    assert coupon.events.filter(kind="extended").count() == 1
