"""Moving messages of the outbox from one state to the next: each step is one guarded UPDATE (EM-10, OP-5).

    PLANNED → CLAIMED → ATTEMPTING → SENT
       ↑  (lease over, retry, later)  → FAILED
       └──────────────┴────────────── → SKIPPED

A claimed message belongs to one run, which ``worker`` names, until ``lease_until``. Whoever finds the row otherwise than
expected has lost it and leaves it alone. All functions here take a moment (``now``) and raise only what the database does.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime, timedelta
from functools import cache
from typing import Any, Final

from django.db import connection
from django.db.models import Case, F, Value, When

from ..conf import app_settings
from ..models import Ground, Message, WhyNot

State = Message.State

#: What a worker must know of a message. The texts of an earlier attempt are not among it.
COLUMNS: Final = (
    "id",
    "key",
    "dedupe_key",
    "kind",
    "state",
    "composer",
    "context",
    "email",
    "email_key",
    "language",
    "reason",
    "ref",
    "follow_up_id",
    "step_id",
    "mailing_list_id",
    "coupon_id",
    "happened_at",
    "due_at",
    "expires_at",
    "attempts",
    "uncertain",
    "lease_until",
    "worker",
    "created_at",
)
#: What does not belong to a worker any more.
_FREE: Final[dict[str, Any]] = {"worker": "", "lease_until": None}
_LONGEST_ERROR: Final = 500
#: What says something of the person: it stays empty if the person was erased while the worker had the message.
_PERSONAL: Final = frozenset({"subject", "text", "html", "last_error", "provider_id"})
_PLAIN: Final = frozenset({str, int, type(None)})
_KEPT: Final = "CASE WHEN email = '' THEN '' ELSE %s END"


def lease() -> timedelta:
    """Return how long a worker may take (``LEASE_SECONDS``)."""
    return timedelta(seconds=app_settings.lease_seconds)


def claim(*, worker: str, limit: int, now: datetime, ids: Collection[int] | None = None) -> list[Message]:
    """Take up to ``limit`` messages whose time has come, the oldest first, for the run called ``worker``.

    With ``ids`` only of these. What another worker is just taking is passed over, and nobody waits. The fields that are
    not in ``COLUMNS`` are deferred.
    """
    if limit < 1 or (ids is not None and not ids):
        return []
    if connection.vendor == "postgresql":
        claimed = _claim_at_once(worker=worker, limit=limit, now=now, ids=ids)
    else:
        claimed = _claim_by_steps(worker=worker, limit=limit, now=now, ids=ids)
    return sorted(claimed, key=lambda message: (message.due_at, message.pk))


def _claim_at_once(*, worker: str, limit: int, now: datetime, ids: Collection[int] | None) -> list[Message]:
    parameters = {"worker": worker, "limit": limit, "now": now, "until": now + lease(), "ids": list(ids or ())}
    return list(Message.objects.raw(_claim_statement(ids is not None), parameters))


@cache
def _claim_statement(of_some: bool) -> str:
    table = connection.ops.quote_name(Message._meta.db_table)
    columns = ", ".join(f"message.{connection.ops.quote_name(column)}" for column in COLUMNS)
    some = "AND id = ANY(%(ids)s)" if of_some else ""
    # The list is made before anything is changed: as a plain subquery it might be asked for each row.
    return f"""
        WITH due AS MATERIALIZED (
            SELECT id FROM {table} WHERE state = 'planned' AND due_at <= %(now)s {some}
            ORDER BY due_at, id LIMIT %(limit)s FOR UPDATE SKIP LOCKED
        )
        UPDATE {table} AS message SET state = 'claimed', worker = %(worker)s, lease_until = %(until)s
        FROM due WHERE message.id = due.id
        RETURNING {columns}
    """


def _claim_by_steps(*, worker: str, limit: int, now: datetime, ids: Collection[int] | None) -> list[Message]:
    due = Message.objects.due(now) if ids is None else Message.objects.due(now).filter(pk__in=ids)
    found = list(due.order_by("due_at", "pk").values_list("pk", flat=True)[:limit])
    # The guard: of two workers who have found the same rows, the second one's UPDATE finds them taken.
    mine = Message.objects.filter(pk__in=found, state=State.PLANNED)
    if not found or not mine.update(state=State.CLAIMED, worker=worker, lease_until=now + lease()):
        return []
    fields = [Message._meta.get_field(name.removesuffix("_id")).name for name in COLUMNS]
    return list(Message.objects.filter(pk__in=found, state=State.CLAIMED, worker=worker).only(*fields))


def give_back(messages: Collection[Message]) -> int:
    """Plan claimed messages again that this run does not get to; return how many were still its own."""
    return sum(
        Message.objects.filter(pk__in=[message.pk for message in messages], state=State.CLAIMED, worker=worker).update(
            state=State.PLANNED, **_FREE
        )
        for worker in {message.worker for message in messages}
    )


def begin(*, message: Message, ground: Ground, now: datetime, subject: str, text: str, html: str) -> bool:
    """Note that the mail is handed over now, and how it looks; return False if the message is not this worker's any more
    or somebody has stopped it: then it must not be sent. This is the last word.
    """
    changes = {
        "state": State.ATTEMPTING,
        "attempts": message.attempts + 1,
        "lease_until": now + lease(),
        "ground": ground,
        "why_not": "",
        "subject": _plain(subject, 250),
        "text": text,
        "html": html,
    }
    if not _move(message, State.CLAIMED, **changes):
        return False
    message.state = State.ATTEMPTING
    message.attempts += 1
    return True


def record_sent(*, message: Message, now: datetime, provider_id: str = "") -> bool:
    """Note that the mail server took it; return False if another worker is just sending it, too.

    If the lease ran out and nobody is at it, this is news and true, whatever the row says: it saves a second mail.
    """
    changes: dict[str, Any] = {"state": State.SENT, "sent_at": now, "settled_at": now, "lease_until": None}
    if message.attempts > 1:
        changes["last_error"] = ""
    if provider_id:
        changes["provider_id"] = _plain(provider_id, 200)
    if message.composer == "email":
        # It is all in subject, text and html by now, which are kept for so long and no longer (EM-13).
        changes["context"] = {}
    if _move(message, State.ATTEMPTING, **changes):
        return True
    if provider_id:
        changes["provider_id"] = Case(When(email="", then=Value("")), default=Value(changes["provider_id"]))
    late = Message.objects.filter(pk=message.pk).exclude(state__in=[State.ATTEMPTING, State.SENT])
    return bool(late.update(why_not="", **changes))


def record_failed(*, message: Message, why: WhyNot, now: datetime, error: str = "", uncertain: bool = False) -> bool:
    """Note that the mail will not be sent: by an error of its own, or since all attempts have failed."""
    return _settle(message, State.FAILED, why, now, last_error=describe(error, message), **_counted(message, uncertain))


def skip(*, message: Message, why: WhyNot, now: datetime) -> bool:
    """Note that the mail is deliberately not sent."""
    return _settle(message, State.SKIPPED, why, now)


def retry(*, message: Message, due_at: datetime, error: str = "", uncertain: bool = False) -> bool:
    """Plan the message again after an attempt that failed. One that did not come to ``begin`` is counted here."""
    attempts = message.attempts + (message.state == State.CLAIMED)
    changes = {
        "due_at": due_at,
        "attempts": attempts,
        "last_error": describe(error, message),
        **_counted(message, uncertain),
    }
    return _move(message, *_OURS, state=State.PLANNED, **changes, **_FREE)


def postpone(*, message: Message, until: datetime, why: WhyNot) -> bool:
    """Plan the message for later; that is no attempt."""
    return _move(message, *_OURS, state=State.PLANNED, due_at=until, why_not=why, **_FREE)


def sweep(*, now: datetime) -> int:
    """Take up what workers have left behind when they died, and return how many messages that were.

    Claimed and not attempted: planned again. Attempted: nobody knows whether the mail went out. The first time it is
    planned again at once, since none must be lost; the second time it is given up, since nobody wants three.
    """
    over = Message.objects.filter(lease_until__lt=now)
    if not over.filter(state__in=_OURS).exists():
        return 0
    freed = over.filter(state=State.CLAIMED).update(state=State.PLANNED, **_FREE)
    lost = over.filter(state=State.ATTEMPTING)
    counted = {"uncertain": F("uncertain") + 1, "last_error": "The worker ended while it was sending.", **_FREE}
    # In this order: what is counted once by the second statement must not be given up by the first.
    given_up = lost.filter(uncertain__gte=1).update(
        state=State.FAILED, why_not=WhyNot.UNCERTAIN, settled_at=now, **counted
    )
    again = lost.filter(uncertain=0).update(state=State.PLANNED, due_at=now, **counted)
    return freed + given_up + again


def describe(error: str, message: Message) -> str:
    """Return an error as it is kept: one line, without the address it is about."""
    text = error.replace(message.email, "…") if message.email else error
    return _plain(text, _LONGEST_ERROR)


_OURS: Final[Sequence[State]] = (State.CLAIMED, State.ATTEMPTING)


def _settle(message: Message, state: State, why: WhyNot, now: datetime, **changes: Any) -> bool:
    return _move(message, *_OURS, state=state, why_not=why, settled_at=now, **changes, **_FREE)


def _move(message: Message, *states: State, **changes: Any) -> bool:
    """Change a message of this worker's in one statement; False if it is not its own in one of these states."""
    values = [
        # Most are what the database takes anyway.
        value if type(value) in _PLAIN else _field(name).get_db_prep_save(value, connection)
        for name, value in changes.items()
    ]
    with connection.cursor() as cursor:
        cursor.execute(
            _move_statement(tuple(changes), len(states)), [*values, message.pk, message.worker, *map(str, states)]
        )
        return bool(cursor.rowcount)


def _field(name: str) -> Any:
    return Message._meta.get_field(name)


@cache
def _move_statement(names: tuple[str, ...], states: int) -> str:
    """Return the text of an UPDATE, made once: twice a message, Django would take longer to write it than PostgreSQL to
    do it.
    """
    quote = connection.ops.quote_name
    table = quote(Message._meta.db_table)
    columns = ", ".join(f"{quote(_field(name).column)} = {_KEPT if name in _PERSONAL else '%s'}" for name in names)
    return f"UPDATE {table} SET {columns} WHERE id = %s AND worker = %s AND state IN ({', '.join(['%s'] * states)})"


def _counted(message: Message, uncertain: bool) -> dict[str, Any]:
    # Nobody else counts while the row is this worker's.
    return {"uncertain": message.uncertain + 1} if uncertain else {}


def _plain(text: str, length: int) -> str:
    # PostgreSQL keeps no NUL.
    return " ".join(text.replace("\0", "").split())[:length]
