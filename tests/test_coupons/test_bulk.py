"""Codes in bulk: ordered once, made in pieces, by any number of workers, of which some are killed."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from datetime import timedelta
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command
from django.db import connection
from django.utils import timezone

from coupons import bulk, codes
from coupons.batches import inserting
from coupons.batches.minting import mint
from coupons.bulk import order_batch, resume_batch, stop_batch, work_all, work_batch
from coupons.exceptions import BatchRefused
from coupons.models import Campaign, Coupon, CouponBatch, CouponEvent, Question
from coupons.redemption import reserve
from tests.test_coupons.crowd import AtOnce
from tests.test_coupons.factories import NOW, make_campaign, make_facts

ROOT = Path(__file__).resolve().parent.parent.parent

pytestmark = pytest.mark.django_db

Status = CouponBatch.Status


def order(quantity: int = 25, **campaign: Any) -> CouponBatch:
    return order_batch(campaign=make_campaign(**campaign), quantity=quantity, note="Flyer", now=NOW)


def killed(batch: CouponBatch) -> CouponBatch:
    """Leave a batch as a worker does that is killed after its lease, before its next piece."""
    CouponBatch.objects.filter(pk=batch.pk).update(status=Status.RUNNING, leased_until=NOW + bulk.LEASE)
    batch.refresh_from_db()
    return batch


# Codes -----------------------------------------------------------------------------------------------


def test_minted_codes_are_codes_like_all_others() -> None:
    """CO-5: length, alphabet, check symbol and digits as ``generate`` makes them; each once."""
    minted = mint(20_000)
    assert len(set(minted)) == 20_000
    assert all(codes.normalise(code) == code and codes.is_code(code) for code in minted)
    assert all(sum(symbol in "23456789" for symbol in code) >= 2 for code in minted)
    assert codes.LENGTH == 12


def test_every_symbol_is_as_likely_as_the_others() -> None:
    """CO-5: in each of the twelve places. With 32 symbols and 40,000 codes, each comes 1,250 times, give or take."""
    minted = mint(40_000)
    for place in range(codes.LENGTH):
        column = [code[place] for code in minted]
        assert {symbol for symbol in codes.ALPHABET if column.count(symbol) < 900} == set()


def test_no_codes_are_no_trouble() -> None:
    assert mint(0) == []


# The work --------------------------------------------------------------------------------------------


def test_a_batch_is_made_in_pieces() -> None:
    batch = order(25)
    assert (batch.status, batch.made) == (Status.WAITING, 0)
    batch = work_batch(batch=batch, chunk=10, now=NOW)
    assert (batch.status, batch.made, batch.finished_at, batch.leased_until) == (Status.DONE, 25, NOW, None)
    coupons = list(batch.coupons.all())
    assert len(coupons) == 25
    assert all(codes.is_code(coupon.code) for coupon in coupons)
    assert {
        (c.campaign_id, c.state, c.used, c.usage_limit, c.holder_key, c.issue_key, c.issued_at) for c in coupons
    } == {(batch.campaign_id, "available", 0, 1, "", None, NOW)}
    # CO-11: the batch says it; a million rows that say the same would not say more.
    assert not CouponEvent.objects.exists()


def test_a_made_code_works_like_any_other() -> None:
    coupon = work_batch(batch=order(1), now=NOW).coupons.get()
    redemption = reserve(code=coupon.display_code, order_ref="1", facts=make_facts(), now=NOW)
    assert redemption.coupon_id == coupon.pk


def test_a_row_is_what_the_model_makes() -> None:
    """Every column of a row inserted in bulk has what ``Coupon.save`` writes, also columns to come."""
    campaign = make_campaign()
    single = Coupon(campaign=campaign, usage_limit=1, issued_at=NOW)
    single.save()
    [made] = work_batch(batch=order_batch(campaign=campaign, quantity=1, now=NOW), now=NOW).coupons.all()
    differ = {
        field.attname
        for field in Coupon._meta.concrete_fields
        if getattr(single, field.attname) != getattr(made, field.attname)
    }
    assert differ == {"id", "code", "batch_id"}


def test_a_spent_budget_leaves_the_rest_to_the_next_worker() -> None:
    batch = work_batch(batch=order(25), chunk=10, budget=timedelta(0), now=NOW)
    assert (batch.status, batch.made, batch.leased_until) == (Status.RUNNING, 10, None)
    batch = work_batch(batch=batch, chunk=10, budget=timedelta(0), now=NOW)
    assert (batch.made, batch.coupons.count()) == (20, 20)
    batch = work_batch(batch=batch, chunk=10, budget=timedelta(0), now=NOW)
    assert (batch.made, batch.coupons.count(), batch.status) == (25, 25, Status.DONE)
    assert work_batch(batch=batch, now=NOW).coupons.count() == 25


def test_a_batch_in_work_is_left_alone_until_its_lease_is_over() -> None:
    """A worker that was killed loses nothing and blocks nobody for longer than a minute."""
    batch = killed(work_batch(batch=order(25), chunk=10, budget=timedelta(0), now=NOW))
    assert work_batch(batch=batch, now=NOW + timedelta(seconds=59)).made == 10
    batch = work_batch(batch=batch, now=NOW + bulk.LEASE)
    assert (batch.made, batch.coupons.count(), batch.status) == (25, 25, Status.DONE)


def test_a_worker_that_lost_its_lease_makes_nothing_more() -> None:
    """The slow one finds at its next piece that another has gone on."""
    batch = order(25)
    lease = bulk._lease(batch, NOW)
    assert lease is not None
    work_batch(batch=batch, chunk=10, budget=timedelta(0), now=NOW + bulk.LEASE)
    assert bulk._piece(batch, bulk._like(batch, NOW), 10, lease=lease, now=NOW) is None
    batch.refresh_from_db()
    assert (batch.made, batch.coupons.count()) == (10, 10)


def test_a_piece_that_fails_leaves_no_trace(monkeypatch: pytest.MonkeyPatch) -> None:
    """Codes and their number are one transaction."""
    batch = work_batch(batch=order(25), chunk=10, budget=timedelta(0), now=NOW)

    def fails(**arguments: Any) -> int:
        insert_coupons(**arguments)
        raise RuntimeError

    insert_coupons = bulk.insert_coupons
    monkeypatch.setattr(bulk, "insert_coupons", fails)
    with pytest.raises(RuntimeError):
        work_batch(batch=batch, chunk=10, now=NOW)
    batch.refresh_from_db()
    assert (batch.made, batch.coupons.count()) == (10, 10)


def test_a_code_that_is_taken_is_made_up_for(monkeypatch: pytest.MonkeyPatch) -> None:
    taken = Coupon.objects.create(campaign=make_campaign()).code
    pieces: Iterator[list[str]] = iter([[taken, *mint(9)], mint(1)])
    monkeypatch.setattr(bulk, "mint", lambda count: next(pieces))
    batch = work_batch(batch=order(10), chunk=10, now=NOW)
    assert (batch.made, batch.coupons.count(), batch.status) == (10, 10, Status.DONE)
    assert not batch.coupons.filter(code=taken).exists()


def test_other_databases_get_the_same_rows(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where neither PostgreSQL nor SQLite is at work, Django's own way makes the same."""
    taken = Coupon.objects.create(campaign=make_campaign()).code
    monkeypatch.setattr(inserting, "BUILDERS", {})
    pieces: Iterator[list[str]] = iter([[taken, *mint(9)], mint(1)])
    monkeypatch.setattr(bulk, "mint", lambda count: next(pieces))
    batch = work_batch(batch=order(10), now=NOW)
    assert (batch.made, batch.coupons.count()) == (10, 10)


def test_statements_do_not_grow_with_the_codes(django_assert_num_queries: Any) -> None:
    """Three to take the batch, six for its one piece (savepoints included), one to say what has become of it."""
    for quantity in (1, 5_000):
        batch = order(quantity)
        with django_assert_num_queries(10):
            work_batch(batch=batch, now=NOW)


def test_inserting_nothing() -> None:
    assert inserting.insert_coupons(like=Coupon(campaign=make_campaign()), columns={"code": []}) == 0


# What the campaign says ------------------------------------------------------------------------------


def test_codes_of_a_campaign_that_asks_are_locked() -> None:
    """CO-9; the personal deadline starts when the holder answers."""
    campaign = make_campaign(deadline_minutes=60)
    Question.objects.create(campaign=campaign, label="Favourite tea?", purpose="To know", clean_name="tea")
    coupon = work_batch(batch=order_batch(campaign=campaign, quantity=1, now=NOW), now=NOW).coupons.get()
    assert (coupon.state, coupon.ends_at, coupon.deadline_minutes) == ("locked", None, 60)


def test_a_printed_code_has_no_personal_deadline() -> None:
    """CD-3: it would run from the printing, before anybody has got the code."""
    coupon = work_batch(batch=order(1, deadline_minutes=60, uses_per_coupon=3), now=NOW).coupons.get()
    assert (coupon.state, coupon.ends_at, coupon.deadline_minutes, coupon.usage_limit) == ("available", None, None, 3)


@pytest.mark.parametrize("status", ["draft", "running"])
def test_flyers_are_printed_before_the_campaign_begins(status: str) -> None:
    assert work_batch(batch=order(3, status=status, starts_at=NOW + timedelta(days=9)), now=NOW).made == 3


@pytest.mark.parametrize(
    ("campaign", "code"),
    [
        ({"status": "paused"}, "paused"),
        ({"status": "ended"}, "ended"),
        ({"ends_at": NOW}, "ended"),
        ({"code_type": "word", "word": "SPRING"}, "word"),
    ],
)
def test_other_campaigns_get_no_codes(campaign: dict[str, Any], code: str) -> None:
    with pytest.raises(BatchRefused) as refused:
        order(3, **campaign)
    assert refused.value.code == code
    assert refused.value.message
    assert not CouponBatch.objects.exists()


@pytest.mark.parametrize("quantity", [0, -1, 1_000_001])
def test_a_quantity_out_of_bounds(quantity: int) -> None:
    with pytest.raises(ValueError, match="1000000"):
        order(quantity)


def test_a_campaign_that_ends_stops_its_batches() -> None:
    batch = work_batch(batch=order(25), chunk=10, budget=timedelta(0), now=NOW)
    Campaign.objects.filter(pk=batch.campaign_id).update(status=Campaign.Status.ENDED)
    batch = work_batch(batch=batch, now=NOW)
    assert (batch.status, batch.made) == (Status.STOPPED, 10)
    batch.campaign.refresh_from_db()
    with pytest.raises(BatchRefused):
        resume_batch(batch=batch, now=NOW)


def test_a_batch_can_be_stopped_and_resumed() -> None:
    batch = stop_batch(batch=work_batch(batch=order(25), chunk=10, budget=timedelta(0), now=NOW))
    assert batch.status == Status.STOPPED
    assert work_batch(batch=batch, now=NOW).made == 10
    batch = resume_batch(batch=batch, now=NOW)
    assert (batch.status, batch.is_open) == (Status.WAITING, True)
    assert work_batch(batch=batch, now=NOW).status == Status.DONE
    # Neither does anything to one that is done.
    assert stop_batch(batch=batch).status == Status.DONE
    assert resume_batch(batch=batch, now=NOW).status == Status.DONE


# Workers ---------------------------------------------------------------------------------------------


def test_a_worker_takes_all_that_is_free() -> None:
    first, second, held = order(3), order(4), killed(order(5))
    assert work_all(now=NOW) == 7
    assert [b.status for b in CouponBatch.objects.order_by("pk")] == [Status.DONE, Status.DONE, Status.RUNNING]
    assert {first.coupons.count(), second.coupons.count(), held.coupons.count()} == {3, 4, 0}


def test_a_budget_is_for_all_batches_together() -> None:
    order(3)
    assert work_all(budget=timedelta(0), now=NOW) == 0
    assert work_all(budget=timedelta(minutes=5), now=NOW) == 3


def test_the_command() -> None:
    order_batch(campaign=make_campaign(), quantity=12)
    out = StringIO()
    call_command("make_coupon_batches", stdout=out)
    assert out.getvalue() == "made=12\n"
    call_command("make_coupon_batches", stdout=out)
    assert out.getvalue().endswith("made=0\n")


def test_the_command_looks_for_new_batches(monkeypatch: pytest.MonkeyPatch) -> None:
    """``--loop``: after each pause; here the second pause is the last."""
    pauses = iter([lambda: order_batch(campaign=make_campaign(), quantity=7), lambda: 1 / 0])
    monkeypatch.setattr("time.sleep", lambda seconds: next(pauses)())
    out = StringIO()
    with pytest.raises(ZeroDivisionError):
        call_command("make_coupon_batches", "--loop", stdout=out)
    assert out.getvalue() == "made=0\nmade=7\n"


def tasks_module() -> str:
    try:
        import django.tasks  # noqa: F401
    except ImportError:
        return "django_tasks"
    return "django.tasks"


def use_backend(settings: Any, name: str) -> None:
    settings.TASKS = {"default": {"BACKEND": f"{tasks_module()}.backends.{name}"}}


def test_a_background_worker_is_told(settings: Any, django_capture_on_commit_callbacks: Any) -> None:
    """Where TASKS names one; and its task does the work."""
    use_backend(settings, "dummy.DummyBackend")
    with django_capture_on_commit_callbacks(execute=True):
        batch = order_batch(campaign=make_campaign(), quantity=4)
    from coupons.tasks import make_codes

    [result] = make_codes.get_backend().results
    assert (result.task.module_path, result.args) == ("coupons.tasks.make_codes", [batch.pk])
    assert make_codes.call(batch.pk) == 4
    assert make_codes.call(batch.pk + 1) == 0
    batch.refresh_from_db()
    assert batch.status == Status.DONE


@pytest.mark.parametrize("backend", ["immediate.ImmediateBackend", "no.SuchBackend", None])
def test_without_one_nothing_happens_within_the_request(
    settings: Any, django_capture_on_commit_callbacks: Any, backend: str | None
) -> None:
    """A backend that would make a million codes at once is not used, and a broken one breaks no order."""
    if backend is not None:
        use_backend(settings, backend)
    with django_capture_on_commit_callbacks(execute=True):
        batch = order_batch(campaign=make_campaign(), quantity=4)
    batch.refresh_from_db()
    assert (batch.status, batch.made) == (Status.WAITING, 0)


def test_times_are_now_without_a_clock_of_the_tests() -> None:
    before = timezone.now()
    batch = work_batch(batch=order_batch(campaign=make_campaign(), quantity=1))
    assert before <= batch.coupons.get().issued_at <= timezone.now()
    assert batch.finished_at is not None


# Killed, and many at once ----------------------------------------------------------------------------


@pytest.mark.postgres
@pytest.mark.django_db(transaction=True)
def test_many_workers_make_no_code_too_many(at_once: AtOnce) -> None:
    """Eight at one batch, half of which believe the lease to be over: exactly what was ordered, each piece once."""
    batch = order(2_000)

    def work(number: int) -> None:
        for _ in range(2_000):
            later = NOW + (bulk.LEASE * (number % 2))
            if work_batch(batch=batch, chunk=50, budget=timedelta(0), now=later).status == Status.DONE:
                return

    results = at_once(work, threads=8)
    assert results == [None] * 8
    batch.refresh_from_db()
    assert (batch.status, batch.made, batch.coupons.count()) == (Status.DONE, 2_000, 2_000)


KILLED = """
import django, os, sys
django.setup()
from coupons import bulk
from coupons.models import CouponBatch

usual = bulk.insert_coupons
pieces = []

def insert_coupons(**arguments):
    count = usual(**arguments)
    pieces.append(count)
    if len(pieces) == 3:
        # In the middle of a transaction: the codes are inserted, and not committed.
        print("inserted", flush=True)
        os.kill(os.getpid(), 9)
    return count

bulk.insert_coupons = insert_coupons
bulk.work_batch(batch=CouponBatch.objects.get(pk=int(sys.argv[1])), chunk=10)
"""


@pytest.mark.postgres
@pytest.mark.django_db(transaction=True)
def test_a_worker_that_is_really_killed_loses_nothing() -> None:
    """SIGKILL between a piece's codes and its commit: the next worker goes on where the last commit was."""
    batch = order_batch(campaign=make_campaign(), quantity=50)
    database = connection.settings_dict
    address = f"postgres://{database['USER']}@{database['HOST']}:{database['PORT']}/{database['NAME']}"
    environment = {**os.environ, "DJANGO_SETTINGS_MODULE": "tests.settings", "DATABASE_URL": address}
    done = subprocess.run(
        [sys.executable, "-c", KILLED, str(batch.pk)], cwd=ROOT, env=environment, capture_output=True, text=True
    )
    assert (done.returncode, done.stdout) == (-signal.SIGKILL, "inserted\n"), done.stderr
    batch.refresh_from_db()
    assert (batch.status, batch.made, batch.coupons.count()) == (Status.RUNNING, 20, 20)
    assert work_batch(batch=batch).made == 20
    batch = work_batch(batch=batch, now=timezone.now() + bulk.LEASE)
    assert (batch.status, batch.made, batch.coupons.count()) == (Status.DONE, 50, 50)
