"""The command plan_follow_ups: it finds what nobody reports, once, whoever else looks and whenever it is killed (OP-5)."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from io import StringIO
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.core.management import call_command
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from coupons.holders import customer_key
from coupons.models import Campaign, Coupon
from thankyou_flows.followups import looking, looks, planning
from thankyou_flows.followups.looking import look_around
from thankyou_flows.models import Message
from thankyou_flows.values import OrderState
from wishlists.models import ListItem, ProductList

from .conftest import ANN, buy, give, make_campaign, make_follow_up, planned


def ago(**span: float) -> datetime:
    return timezone.now() - timedelta(**span)


def save(name: str = "ann", *, changed_at: datetime | None = None, kind: str = "saved", items: int = 1) -> ProductList:
    """Somebody has a list with something on it, last touched four days ago."""
    user = User.objects.filter(username=name).first() or User.objects.create_user(name, f"{name}@example.com")
    row = ProductList.objects.create(owner=user, kind=kind, changed_at=changed_at or ago(days=4))
    ListItem.objects.bulk_create(ListItem(list=row, product_ref=f"p{n}", title="p") for n in range(items))
    return row


def refs(trigger: str) -> list[str]:
    return sorted(message.ref for message in planned(reason=trigger))


# Lists ----------------------------------------------------------------------------------------------


@pytest.mark.django_db
def test_a_list_that_lies_untouched_is_found(clock: Any) -> None:
    """EM-11: saved lists and wish lists with something on them, whose owner's address is proved."""
    make_follow_up("list_untouched", {"delay": 3, "at_time": "10:00"})
    saved, wished = save(), save(kind="wish")
    save("bea", kind="cart")
    save("cid", kind="recent")
    save("dan", items=0)
    save("eve", changed_at=ago(days=2))
    User.objects.create_user("nobody", "")
    row = save("nobody")
    closed = save("fay")
    User.objects.filter(pk=closed.owner_id).update(is_active=False)
    assert look_around() == 2
    assert refs("list_untouched") == sorted([str(saved.pk), str(wished.pk)])
    assert row.pk not in map(int, refs("list_untouched"))
    message = planned()[0]
    assert (message.happened_at, message.email) == (saved.changed_at, ANN)
    # Three days were over yesterday at noon; ten o'clock in Berlin came today.
    assert message.due_at.isoformat() == "2026-03-02T09:00:00+00:00"


@pytest.mark.django_db
def test_the_first_look_writes_nobody_about_last_year(clock: Any) -> None:
    """EM-11: only those who reach the first delay now, whenever the follow-up was switched on. They get all mails, each in
    its own time; whoever is past the first one gets no last one either.
    """
    make_follow_up("list_untouched", {"delay": 3}, {"delay": 30}, switched_on_at=timezone.now())
    save("old", changed_at=ago(days=300))
    save("late", changed_at=ago(days=31))
    fresh = save("fresh", changed_at=ago(days=9))
    save("over", changed_at=ago(days=10, minutes=1))
    for _day in range(25):
        look_around()
        clock.shift(timedelta(days=1))
    assert [(m.ref, m.step.delay) for m in planned()] == [(str(fresh.pk), 3), (str(fresh.pk), 30)]
    assert [m.due_at - m.happened_at for m in planned()] == [timedelta(days=3), timedelta(days=30)]


@pytest.mark.django_db
def test_a_list_that_was_touched_again_gets_one_reminder_for_its_new_last_change(clock: Any) -> None:
    """EM-11: each last change counts once, whatever became of the reminder before."""
    make_follow_up("list_untouched", {"delay": 3})
    row = save()
    assert look_around() == 1
    Message.objects.update(state="sent")
    clock.shift(timedelta(days=1))
    touched = timezone.now()
    ProductList.objects.update(changed_at=touched)
    assert look_around() == 0
    clock.shift(timedelta(days=3))
    assert [look_around(), look_around()] == [1, 0]
    assert [(m.ref, m.state, m.happened_at) for m in planned()] == [
        (str(row.pk), "sent", touched - timedelta(days=5)),
        (str(row.pk), "planned", touched),
    ]


@pytest.mark.django_db
@pytest.mark.parametrize("state", ["planned", "claimed", "attempting"])
def test_of_one_list_one_reminder_is_planned_at_a_time(state: str, clock: Any) -> None:
    """EM-12: what waits for an earlier change is stopped; what is just being sent comes to its end first."""
    make_follow_up("list_untouched", {"delay": 3})
    save()
    look_around()
    Message.objects.update(state=state)
    ProductList.objects.update(changed_at=timezone.now())
    clock.shift(timedelta(days=3))
    assert look_around() == (0 if state == "attempting" else 1)
    open_now = planned(state__in=["planned", "claimed", "attempting"])
    assert len(open_now) == 1
    if state != "attempting":
        assert open_now[0].happened_at == timezone.now() - timedelta(days=3)
        assert [m.why_not for m in planned(state="skipped")] == ["changed"]


# Customers ------------------------------------------------------------------------------------------


@pytest.mark.django_db
def test_a_customer_who_stays_away_is_found(clock: Any) -> None:
    """EM-11: by the latest order that came to something, for each customer once an order."""
    make_follow_up("customer_quiet", {"delay": 60})
    buy("Q-1", placed_at=ago(days=300))
    buy("Q-2", placed_at=ago(days=61), language="sl")
    buy("B-1", email="bea@example.com", placed_at=ago(days=61))
    buy("B-2", email="bea@example.com", placed_at=ago(days=1))
    buy("C-1", email="cid@example.com", placed_at=ago(days=61))
    buy("C-2", email="cid@example.com", placed_at=ago(days=1), state=OrderState.CANCELLED)
    buy("D-1", email="dan@example.com", placed_at=ago(days=61), state=OrderState.PLACED)
    buy("E-1", email="", placed_at=ago(days=61))
    buy("F-1", email="fay@example.com", placed_at=ago(days=61))
    buy("F-2", email="fay@example.com", placed_at=ago(days=61))
    assert look_around() == 3
    assert refs("customer_quiet") == ["C-1", "F-2", "Q-2"]
    (message,) = planned(ref="Q-2")
    assert (message.email, message.language, message.happened_at) == (ANN, "sl", ago(days=61))
    assert look_around() == 0


# Ends -----------------------------------------------------------------------------------------------


@pytest.mark.django_db
def test_an_end_that_the_campaign_got_later_is_found(clock: Any, committed: Any) -> None:
    """EM-12: coupons that were given without an end, and have one now; nothing for those used, revoked or nobody's."""
    make_follow_up("coupon_expiring", {"delay": 3}, {"delay": 1})
    campaign = make_campaign()
    numbers = ("T-1", "T-2", "T-3")
    for number in numbers:
        buy(number)
    with committed():
        first, used, revoked = (give(campaign, number=number) for number in numbers)
        give(campaign, number="T-9", holder_key="")
    Coupon.objects.filter(pk=used.pk).update(used=1)
    Coupon.objects.filter(pk=revoked.pk).update(state="revoked")
    assert planned() == [] and look_around() == 0
    end = timezone.now() + timedelta(days=3, hours=12)
    Campaign.objects.update(ends_at=end)
    assert look_around() == 1
    clock.shift(timedelta(days=2))
    assert look_around() == 1
    assert [(m.ref, m.due_at) for m in planned()] == [
        (str(first.pk), end - timedelta(days=3)),
        (str(first.pk), end - timedelta(days=1)),
    ]


@pytest.mark.django_db
def test_switching_on_reminds_nobody_whose_reminder_was_due_before(clock: Any) -> None:
    """EM-11: a coupon that ends in two days, when it is to be said three days before."""
    buy()
    give(make_campaign(deadline_minutes=20 * 24 * 60))
    clock.shift(timedelta(days=18))
    make_follow_up("coupon_expiring", {"delay": 3}, switched_on_at=timezone.now())
    make_follow_up("coupon_expiring", {"delay": 1}, switched_on_at=timezone.now())
    look_around()
    assert [message.step.delay for message in planned()] == [1]


@pytest.mark.django_db
@pytest.mark.parametrize("days", [2, 20])
def test_planned_mails_move_with_the_end_of_the_campaign(days: int, clock: Any, committed: Any) -> None:
    """EM-12: earlier or later, and nobody gets a second one."""
    make_follow_up("coupon_expiring", {"delay": 1})
    make_follow_up("coupon_unused", {"delay": 1})
    buy()
    with committed():
        give(make_campaign(ends_at=timezone.now() + timedelta(days=10)))
    before = planned(reason="coupon_unused")[0].due_at
    end = timezone.now() + timedelta(days=days)
    Campaign.objects.update(ends_at=end)
    assert look_around() == 0
    (message,) = planned(reason="coupon_expiring")
    assert (message.due_at, message.happened_at, message.expires_at) == (end - timedelta(days=1), end, end)
    assert planned(reason="coupon_unused")[0].due_at == before


@pytest.mark.django_db
def test_an_offer_that_was_not_heard_of_is_found(clock: Any) -> None:
    """OP-5: the process that gave it may have died before anybody was told."""
    make_follow_up("offer_ending", {"delay": 10, "delay_unit": "minutes"})
    buy()
    give(make_campaign(deadline_minutes=60))
    assert look_around() == 1
    assert planned()[0].due_at == timezone.now() + timedelta(minutes=50)


# The command ----------------------------------------------------------------------------------------


@pytest.mark.django_db
def test_the_command_says_how_many(clock: Any) -> None:
    """OP-5: run twice, it plans once."""
    make_follow_up("list_untouched")
    save()
    for expected in ("planned=1\n", "planned=0\n"):
        out = StringIO()
        call_command("plan_follow_ups", stdout=out)
        assert out.getvalue() == expected


def crowd(people: int) -> None:
    """So many untouched lists, quiet customers and coupons near their end."""
    campaign = make_campaign(deadline_minutes=4 * 24 * 60 - 1)
    for n in range(people):
        save(f"p{n}")
        email = f"p{n}@example.com"
        buy(f"N-{n}", email=email, placed_at=ago(days=4))
        give(campaign, number=f"N-{n}", holder_key=customer_key(email))
    # Only now: the coupons' own news is past.
    for trigger in ("list_untouched", "customer_quiet", "coupon_expiring"):
        make_follow_up(trigger)


@pytest.mark.django_db
@pytest.mark.parametrize("people", [1, 20])
def test_looking_again_costs_the_same_for_one_and_for_twenty(people: int, clock: Any) -> None:
    """OP-7: what is planned already is not even loaded."""
    crowd(people)
    assert look_around() == 3 * people
    with CaptureQueriesContext(connection) as queries:
        assert look_around() == 0
    # Moved ends, which mails, the ends of campaigns, and that it is not time yet.
    assert len(queries) == 4
    clock.shift(looks.INTERVAL)
    for force in (False, True):
        with CaptureQueriesContext(connection) as queries:
            assert look_around(force=force) == 0
        turns = [query for query in queries if "UPDATE" in query["sql"]]
        # Beside these, of each of the three searches: its turn, its rows, and how far it came, with a savepoint.
        assert len(turns) == 3 * 2
        assert len(queries) == 4 + 3 * 5


@pytest.mark.django_db
def test_what_one_more_person_costs_is_fixed(clock: Any) -> None:
    """OP-7: linear in those who are new, whatever was there."""

    def cost(people: range) -> int:
        for n in people:
            save(f"p{n}")
        with CaptureQueriesContext(connection) as queries:
            look_around(force=True)
        return len(queries)

    make_follow_up("list_untouched")
    # The first look of all writes down that there was one.
    look_around()
    none, one, twenty = cost(range(0)), cost(range(1)), cost(range(1, 21))
    assert twenty - none == 20 * (one - none)


@pytest.mark.django_db
def test_memory_holds_one_batch(clock: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """OP-5: no query asks for more rows than a batch has, and no batch is in memory when the next one is read."""
    monkeypatch.setattr(looks, "BATCH", 3)
    crowd(8)
    with CaptureQueriesContext(connection) as queries:
        assert look_around() == 24
    sources = ("thankyou_wishlists_productlist", "thankyou_flows_orderrecord", "thankyou_coupons_coupon")
    for source in sources:
        found = [q["sql"] for q in queries if f'FROM "{source}"' in q["sql"] and "LIMIT 3" in q["sql"]]
        # Three, three, two. Coupons are asked about twice: expiring ones, and countdowns, of which there are none.
        assert len(found) == 3, source


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("after", range(0, 24, 3))
def test_killed_in_the_middle_the_next_one_goes_on(after: int, clock: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """OP-5: whatever was planned stays planned, and nobody is left out or written to twice."""

    class Killed(BaseException):
        """As SIGKILL: nothing that catches exceptions catches it."""

    monkeypatch.setattr(looks, "BATCH", 3)
    crowd(8)
    whole, written = planning.Plans.write, []

    def write(self: Any, *args: Any, **kwargs: Any) -> list[Message]:
        if len(written) == after:
            raise Killed
        written.append(1)
        return whole(self, *args, **kwargs)

    monkeypatch.setattr(planning.Plans, "write", write)
    with pytest.raises(Killed):
        look_around()
    kept = Message.objects.count()
    # What a batch had done when it was killed is undone with it.
    assert after - 3 < kept <= after
    monkeypatch.setattr(planning.Plans, "write", whole)
    assert look_around() == 24 - kept
    assert Message.objects.count() == 24


# Two at once ----------------------------------------------------------------------------------------


@pytest.fixture
def slow_store(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[str]]:
    """Each person takes a moment, so that two commands meet; who was looked at, in the sequence of looking."""
    seen: list[str] = []
    whole = looking.person_of_account

    def person_of_account(user: Any) -> Any:
        seen.append(user.username)
        threading.Event().wait(0.01)
        return whole(user)

    monkeypatch.setattr(looking, "person_of_account", person_of_account)
    yield seen


def at_once(work: Callable[[], int], workers: int = 2) -> list[int]:
    """Do something several times at the same moment, each on a connection of its own."""
    ready, results = threading.Barrier(workers), []

    def run() -> None:
        try:
            ready.wait(5)
            results.append(work())
        finally:
            connection.close()

    threads = [threading.Thread(target=run) for _n in range(workers)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert len(results) == workers
    return results


def twenty_lists() -> None:
    make_follow_up("list_untouched")
    for n in range(20):
        save(f"p{n}")


@pytest.mark.postgres
@pytest.mark.django_db(transaction=True)
def test_two_commands_at_once_look_at_everybody_once(slow_store: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    """OP-5: one looks, the other one has nothing to do; neither waits."""
    monkeypatch.setattr(looks, "BATCH", 5)
    twenty_lists()
    assert sum(at_once(look_around)) == 20
    assert sorted(slow_store) == sorted(f"p{n}" for n in range(20))
    assert Message.objects.count() == 20


@pytest.mark.postgres
@pytest.mark.teeth
@pytest.mark.django_db(transaction=True)
def test_without_turns_they_do_it_twice(slow_store: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    """The test above can fail. Even so nobody gets two mails: the database refuses the second row."""
    twenty_lists()
    # Else one of two inserts of the note itself would be refused.
    look_around()
    monkeypatch.setattr(looks.Turn, "move", lambda *_args: True)
    Message.objects.all().delete()
    slow_store.clear()
    at_once(lambda: look_around(force=True))
    assert len(slow_store) > 20
    assert Message.objects.count() == 20
