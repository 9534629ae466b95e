"""The ways to work off a queue of mails that are compared: ours, a plain SKIP LOCKED loop, and django-tasks-db's worker.

Each side's workers are processes with a connection of their own that stays open, and hand every mail to a backend that
only counts. What is in the mail is the same for all, and costs nothing to write.
"""

from __future__ import annotations

import multiprocessing
import random
import uuid
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from importlib import import_module
from multiprocessing.connection import Connection
from multiprocessing.synchronize import Barrier
from time import perf_counter, process_time
from typing import Any, Final, Protocol

import django
from django.core.mail import EmailMultiAlternatives
from django.core.mail.backends.base import BaseEmailBackend
from django.db import connection, connections
from django.utils import timezone

from coupons.holders import customer_key
from thankyou_flows.mail.composing import Mail
from thankyou_flows.mail.connections import get_connection
from thankyou_flows.mail.sending import send_due
from thankyou_flows.models import Contact, MailingList, Message, MessageKind, Subscription

from .measuring import statements, writes

tasks: Final[Any] = import_module("django.tasks" if django.VERSION >= (6, 0) else "django_tasks")

SUBJECT, TEXT = "Your order is on its way", "It will be with you tomorrow.\n" * 20
HTML = f"<p>{TEXT}</p>"
QUEUE: Final = "bench"


class Counting(BaseEmailBackend):
    """Sends nothing, and counts."""

    sent = 0

    def send_messages(self, email_messages: Sequence[Any]) -> int:
        Counting.sent += len(email_messages)
        return len(email_messages)


def compose(*, message: Message, now: datetime) -> Mail:
    """The composer of the messages that are measured."""
    return Mail(subject=SUBJECT, text=TEXT, html=HTML)


class Rival(Protocol):
    """One of the queues."""

    name: str

    def prepare(self, count: int) -> None:
        """Empty the queue and put so many mails into it."""

    def work(self) -> None:
        """Work the queue off in the calling process, together with others."""

    def left(self) -> int:
        """Return how many mails are not recorded as sent, or more than once attempted."""


class Ours:
    """``send_due`` with mail that the customer asked for: claimed by fifties, asked of the gate, written, marked as
    attempted, sent, recorded with what the customer saw.
    """

    name = "ours"
    kind = MessageKind.TRANSACTIONAL

    def prepare(self, count: int) -> None:
        Message.objects.all().delete()
        now = timezone.now()
        Message.objects.bulk_create(self.message(number, now) for number in range(count))

    def message(self, number: int, now: datetime, **more: Any) -> Message:
        email = f"customer-{number}@example.com"
        return Message(
            dedupe_key=f"bench {number}",
            kind=self.kind,
            composer="benchmarks.outboxes.compose",
            email=email,
            email_key=customer_key(email),
            reason="bench",
            due_at=now - timedelta(minutes=1),
            **more,
        )

    def work(self) -> None:
        send_due()

    def left(self) -> int:
        return Message.objects.exclude(state=Message.State.SENT, attempts=1).count()


class OursToAList(Ours):
    """The same with a newsletter: consent, caps and pauses of each person are looked up, a place is taken, and the mail
    gets its headers and links to unsubscribe.
    """

    name = "ours, a newsletter"
    kind = MessageKind.NEWSLETTER

    def prepare(self, count: int) -> None:
        mailing_list, _made = MailingList.objects.get_or_create(slug="bench", defaults={"title": "Bench"})
        people = [f"customer-{number}@example.com" for number in range(count)]
        for model in (Message, Contact, Subscription):
            model.objects.all().delete()
        now = timezone.now()
        Contact.objects.bulk_create(Contact(email=email, email_key=customer_key(email)) for email in people)
        signed_up = {"mailing_list": mailing_list, "state": Subscription.State.CONFIRMED, "confirmed_at": now}
        Subscription.objects.bulk_create(
            Subscription(email=email, email_key=customer_key(email), **signed_up) for email in people
        )
        Message.objects.bulk_create(self.message(number, now, mailing_list=mailing_list) for number in range(count))


class Raw:
    """The floor: one row in two transactions, a bare table, statements prepared. PostgreSQL only."""

    name = "a plain SKIP LOCKED loop"

    TABLE: Final = """
        CREATE TABLE IF NOT EXISTS raw_message (
            id bigserial PRIMARY KEY, state text NOT NULL, due_at timestamptz NOT NULL, email text NOT NULL,
            subject text NOT NULL, body text NOT NULL, sent_at timestamptz
        );
        CREATE INDEX IF NOT EXISTS raw_message_due ON raw_message (due_at, id) WHERE state = 'planned'
    """
    TAKE: Final = """
        UPDATE raw_message SET state = 'attempting' WHERE id = (
            SELECT id FROM raw_message WHERE state = 'planned' AND due_at <= now()
            ORDER BY due_at, id LIMIT 1 FOR UPDATE SKIP LOCKED
        ) RETURNING id, email, subject, body
    """
    RECORD: Final = "UPDATE raw_message SET state = 'sent', sent_at = now() WHERE id = %s AND state = 'attempting'"

    def __init__(self) -> None:
        self._connection: Any = None
        with connection.cursor() as cursor:
            cursor.execute(self.TABLE)

    def prepare(self, count: int) -> None:
        with connection.cursor() as cursor:
            cursor.execute("TRUNCATE raw_message")
            cursor.execute(
                "INSERT INTO raw_message (state, due_at, email, subject, body) "
                "SELECT 'planned', now() - interval '1 minute', 'customer-' || n || '@example.com', %s, %s "
                "FROM generate_series(1, %s) AS n",
                [SUBJECT, TEXT, count],
            )

    def work(self) -> None:
        if self._connection is None:
            self._connection = _connect()
        backend = get_connection()
        while row := self._connection.execute(self.TAKE).fetchone():
            number, email, subject, body = row
            backend.send_messages([EmailMultiAlternatives(subject, body, to=[email])])
            self._connection.execute(self.RECORD, [number])

    def left(self) -> int:
        with connection.cursor() as cursor:
            cursor.execute("SELECT count(*) FROM raw_message WHERE state <> 'sent'")
            return int(cursor.fetchone()[0])


@tasks.task(backend=QUEUE)
def send_one(email: str, subject: str, text: str) -> None:
    """A mail as a task of its own, as one would send it without an outbox."""
    get_connection().send_messages([EmailMultiAlternatives(subject, text, to=[email])])


class Worker:
    """django-tasks-db's ``db_worker --batch``, one task a mail. Its connection stays open (``CONN_MAX_AGE = None``)."""

    name = "django-tasks-db's db_worker"

    def prepare(self, count: int) -> None:
        rows = import_module("django_tasks_db.models").DBTaskResult
        rows.objects.all().delete()
        send_one.enqueue("customer-0@example.com", SUBJECT, TEXT)
        first = rows.objects.get()
        facts = {each.attname: getattr(first, each.attname) for each in rows._meta.concrete_fields}
        arguments = ([f"customer-{number}@example.com", SUBJECT, TEXT] for number in range(1, count))
        rows.objects.bulk_create(
            rows(**{**facts, "id": uuid.uuid4(), "args_kwargs": {"args": each, "kwargs": {}}}) for each in arguments
        )

    def work(self) -> None:
        worker = import_module("django_tasks_db.management.commands.db_worker").Worker(
            queue_names=["*"],
            interval=0,
            batch=True,
            backend_name=QUEUE,
            startup_delay=False,
            max_tasks=None,
            worker_id=uuid.uuid4().hex,
            excluded_queue_names=[],
        )
        worker.run()

    def left(self) -> int:
        rows = import_module("django_tasks_db.models").DBTaskResult
        return int(rows.objects.exclude(status="SUCCESSFUL").count())


@dataclass
class Score:
    """What one rival took for all mails of a turn, in seconds."""

    rival: Rival
    seconds: list[float] = field(default_factory=list)
    busy: list[float] = field(default_factory=list)


class Crew:
    """Processes that wait for a queue to work off."""

    def __init__(self, rivals: Sequence[Rival], *, workers: int) -> None:
        self.rivals = list(rivals)
        context = multiprocessing.get_context("fork")
        barrier = context.Barrier(workers + 1)
        # No connection may be shared with a child.
        connections.close_all()
        self._barrier, self._ends, self._processes = barrier, [], []
        for _number in range(workers):
            ours, theirs = context.Pipe()
            process = context.Process(target=_work, args=(self.rivals, theirs, barrier), daemon=True)
            process.start()
            self._ends.append(ours)
            self._processes.append(process)

    def turn(self, score: Score, *, mails: int) -> None:
        """Let all work off one queue together. Raises AssertionError if a mail was not sent, or twice."""
        score.rival.prepare(mails)
        if connection.vendor == "postgresql":
            # The throw-away server collects nothing of its own accord; a real one does.
            with connection.cursor() as cursor:
                cursor.execute("VACUUM ANALYZE")
        for end in self._ends:
            end.send(self.rivals.index(score.rival))
        self._barrier.wait(timeout=60)
        start = perf_counter()
        answers = [end.recv() for end in self._ends]
        score.seconds.append(perf_counter() - start)
        for answer in answers:
            if isinstance(answer, Exception):
                raise answer
        score.busy.append(sum(busy for _sent, busy in answers))
        assert sum(sent for sent, _busy in answers) == mails, score.rival.name
        assert not score.rival.left(), score.rival.name

    def stop(self) -> None:
        for end in self._ends:
            end.send(None)
        for process in self._processes:
            process.join(timeout=10)


def _work(rivals: list[Rival], end: Connection, barrier: Barrier) -> None:
    while (index := end.recv()) is not None:
        Counting.sent = 0
        barrier.wait(timeout=60)
        start = process_time()
        try:
            rivals[index].work()
        except Exception as error:
            end.send(RuntimeError(f"{rivals[index].name}: {error!r}"))
        else:
            end.send((Counting.sent, process_time() - start))


@contextmanager
def working(rivals: Sequence[Rival], *, workers: int) -> Iterator[Crew]:
    crew = Crew(rivals, workers=workers)
    try:
        yield crew
    finally:
        crew.stop()


def compete(crew: Crew, *, turns: int, mails: int, warm_up: int = 1, seed: int = 7) -> list[Score]:
    """Let the rivals take turns, in shuffled order, each time on a fresh queue."""
    scores = [Score(rival) for rival in crew.rivals]
    shuffle = random.Random(seed).shuffle
    for number in range(warm_up + turns):
        order = list(scores)
        shuffle(order)
        for score in order:
            crew.turn(score, mails=mails)
        if number < warm_up:
            for score in scores:
                score.seconds, score.busy = [], []
    return scores


def count_statements(rival: Rival, *, mails: int = 50) -> tuple[float, float]:
    """Return how many statements one mail costs, and how many of them write, transactions not counted."""
    if isinstance(rival, Raw):
        # Not sent through Django's connection.
        return 2, 2
    rival.prepare(mails)
    with statements() as sent:
        rival.work()
    own = [sql for sql in sent if not sql.lstrip().startswith(("SAVEPOINT", "RELEASE", "BEGIN", "ROLLBACK"))]
    writing = writes(own) + sum(sql.lstrip().startswith("WITH") for sql in own)
    return round(len(own) / mails, 1), round(writing / mails, 1)


def _connect() -> Any:
    """Return a connection of psycopg's own, without Django."""
    import psycopg

    known = connection.settings_dict
    return psycopg.connect(
        dbname=known["NAME"],
        user=known["USER"],
        password=known["PASSWORD"],
        host=known["HOST"],
        port=known["PORT"],
        autocommit=True,
    )
