"""Workers at the same time, on PostgreSQL: each mail goes out once (EM-10, OP-5)."""

from __future__ import annotations

import threading
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from django.db import connection, transaction
from django.utils import timezone

from tests.test_coupons.test_killing import database
from tests.test_mail.nursery import open_nursery
from tests.test_mail.outboxes import COMPOSER, plan
from thankyou_flows.mail import claiming
from thankyou_flows.mail.outbox import queue, stop
from thankyou_flows.models import Ground, Message, MessageKind, WhyNot

__all__ = ["database"]

pytestmark = [pytest.mark.postgres, pytest.mark.django_db(transaction=True)]

WORKERS = 4


def plan_many(count: int) -> None:
    now = timezone.now()
    Message.objects.bulk_create(
        Message(
            dedupe_key=f"m{number}",
            kind="transactional",
            composer=COMPOSER,
            email=f"m{number}@example.com",
            email_key=f"c:{number}",
            reason="test",
            due_at=now,
        )
        for number in range(count)
    )


def work(database: str, file: Path, **options: Any) -> Counter[str]:  # noqa: F811
    """Let four workers send what is due; return how often each mail went out."""
    file.touch()
    with open_nursery(database, file) as nursery:
        ends = nursery.work(workers=WORKERS, now=timezone.now().isoformat(), **options)
    assert ends == [0] * WORKERS
    return Counter(file.read_text().split())


def test_two_thousand_mails_by_four_workers(database: str, tmp_path: Path) -> None:  # noqa: F811
    """Done-list 2: each once, and all four had their share."""
    plan_many(2000)
    mails = work(database, tmp_path / "sent")
    assert len(mails) == 2000
    assert set(mails.values()) == {1}
    assert set(Message.objects.values_list("state", "attempts", "uncertain")) == {("sent", 1, 0)}
    assert Message.objects.values("worker").distinct().count() == WORKERS


@pytest.mark.teeth
def test_careless_workers_send_twice(database: str, tmp_path: Path) -> None:  # noqa: F811
    """With "look, then take" and no guards the same four send some mails twice, so the test above can fail."""
    plan_many(400)
    mails = work(database, tmp_path / "sent", careless=True)
    assert max(mails.values()) > 1


def in_threads(*functions: Any) -> list[Any]:
    """Run functions at the same time, each with a connection of its own."""

    def run(function: Any) -> Any:
        try:
            barrier.wait(timeout=30)
            return function()
        finally:
            connection.close()

    barrier = threading.Barrier(len(functions))
    with ThreadPoolExecutor(len(functions)) as pool:
        return list(pool.map(run, functions))


def test_stopping_races_with_beginning() -> None:
    """EM-6: of both only one wins: what was stopped is not sent, what is being sent is not called stopped."""
    for number in range(30):
        plan(f"m{number}")
        now = timezone.now()
        [message] = claiming.claim(worker="w", limit=1, now=now)
        begin = {"ground": Ground.REQUEST, "now": now, "subject": "x", "text": "y", "html": ""}
        begun, stopped = in_threads(
            lambda message=message, begin=begin: claiming.begin(message=message, **begin),
            lambda message=message: stop(messages=Message.objects.filter(pk=message.pk), why=WhyNot.LEFT),
        )
        assert begun is not bool(stopped)
        message = Message.objects.get(pk=message.pk)
        assert message.state == ("attempting" if begun else "skipped")


def test_a_worker_waits_for_nobody() -> None:
    """A row that somebody else holds is passed over."""
    plan("held")
    plan("free")
    with transaction.atomic():
        Message.objects.select_for_update().get(dedupe_key="held")
        [claimed] = in_threads(lambda: claiming.claim(worker="w", limit=5, now=timezone.now()))
    assert [each.dedupe_key for each in claimed] == ["free"]


def test_a_stop_that_is_not_committed_yet_holds() -> None:
    """EM-6: the worker's last word waits for whoever is just unsubscribing."""
    plan()
    now = timezone.now()
    [message] = claiming.claim(worker="w", limit=1, now=now)
    is_stopped = threading.Event()

    def leave() -> None:
        with transaction.atomic():
            stop(messages=Message.objects.all(), why=WhyNot.LEFT)
            is_stopped.set()
            # Longer than the other one needs to ask.
            threading.Event().wait(0.1)

    def begin() -> bool:
        is_stopped.wait(timeout=30)
        return claiming.begin(message=message, ground=Ground.REQUEST, now=now, subject="x", text="y", html="")

    assert in_threads(leave, begin) == [None, False]


def test_the_same_mail_is_queued_once_by_many() -> None:
    """EM-10: eight requests at once write one row; the others hear that it is there."""

    def write() -> bool:
        with transaction.atomic():
            values: dict[str, Any] = {"email": "ann@example.com", "composer": COMPOSER, "reason": "test"}
            return queue(dedupe_key="one", kind=MessageKind.TRANSACTIONAL, **values) is not None

    written = in_threads(*[write] * 8)
    assert written.count(True) == 1
    assert Message.objects.count() == 1


@pytest.mark.parametrize("sweepers", [8])
def test_sweepers_at_the_same_time_count_once(sweepers: int) -> None:
    """OP-5: a lost attempt is one uncertain attempt, whoever finds it."""
    plan()
    now = timezone.now()
    [message] = claiming.claim(worker="w", limit=1, now=now)
    claiming.begin(message=message, ground=Ground.REQUEST, now=now, subject="x", text="y", html="")
    swept = in_threads(*[lambda: claiming.sweep(now=now + 2 * claiming.lease())] * sweepers)
    assert sum(swept) == 1
    assert Message.objects.get().uncertain == 1
