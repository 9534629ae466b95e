"""Waking a worker when there is mail: after commit, by a task (D8). Time, attempts and leases are in our rows, so a task
that is lost or comes twice does no harm: ``send_due_messages`` from cron finds whatever is due.

Nothing in here raises: a broker or a mail server that is away must not break what the customer is doing (OP-4).
"""

from __future__ import annotations

import logging
from collections import deque
from datetime import datetime, timedelta
from functools import partial
from typing import Any, Final

from django.core.cache import cache
from django.db import connection, transaction
from django.utils import timezone

from ..models import Message
from .errors import for_logs

logger = logging.getLogger(__name__)

#: Seconds in which at most two tasks are put into the queue: one at once, and one for whatever came after it.
WINDOW: Final = 10
#: Without a background worker a request sends its own mails, so many at most. The rest goes by the next run.
INLINE: Final = 20
_KEY: Final = "thankyou_flows:wake"
#: Where the messages of the running transaction are noted, at the database's connection.
_NOTED: Final = "_thankyou_flows_planned"


def wake(*, message: Message | None = None, at: datetime | None = None, now: datetime | None = None) -> None:
    """Wake a worker once the transaction is committed: for a message that was just planned, or for mail that is due at
    ``at``. Later than now only with a task backend that can wait (``run_after``).
    """
    now = now or timezone.now()
    at = at or (message.due_at if message is not None else now)
    if message is not None and at <= now:
        _noted().append(message.pk)
    transaction.on_commit(partial(_wake, at), robust=True)


def _noted() -> deque[int]:
    """Return where messages are noted, the last ones only. What a rollback leaves there is no row, and does no harm."""
    if not hasattr(connection, _NOTED):
        setattr(connection, _NOTED, deque(maxlen=INLINE))
    noted: deque[int] = getattr(connection, _NOTED)
    return noted


def _wake(at: datetime) -> None:
    try:
        now = timezone.now()
        if at > now:
            _wake_later(at, now)
            return
        noted = _noted()
        ids = list(noted)
        noted.clear()
        if ids:
            # Else an earlier call of the same transaction has seen to it.
            _wake_now(ids, now)
    except Exception as error:
        logger.error("No worker could be woken, so mail waits for the next send_due_messages: %s", for_logs(error))


def _wake_now(ids: list[int], now: datetime) -> None:
    from .tasks import send_messages

    if is_immediate():
        send_messages.enqueue(ids=ids)
    elif not _can_wait() or _is_first(f"{_KEY}:now", seconds=WINDOW):
        send_messages.enqueue()
    elif _is_first(f"{_KEY}:then", seconds=WINDOW):
        # The task before may be over by now, so there is another one behind the window.
        send_messages.using(run_after=now + timedelta(seconds=WINDOW)).enqueue()


def _wake_later(at: datetime, now: datetime) -> None:
    """Wake at the end of this minute, so that one task does for all that is due in it."""
    from .tasks import send_messages

    if not _can_wait():
        return
    then = at.replace(second=0, microsecond=0) + timedelta(minutes=1)
    if _is_first(f"{_KEY}:{then:%Y%m%d%H%M}", seconds=int((then - now).total_seconds())):
        send_messages.using(run_after=then).enqueue()


def is_immediate() -> bool:
    """Whether tasks run at once, in the process that asks for them: no worker, the default of Django."""
    return type(_backend()).__name__ == "ImmediateBackend"


def _can_wait() -> bool:
    return bool(getattr(_backend(), "supports_defer", False))


def _backend() -> Any:
    from .tasks import send_messages

    return send_messages.get_backend()


def _is_first(key: str, *, seconds: int) -> bool:
    """Whether nobody has asked for this yet. Without a cache everybody is the first: too many tasks are better than none."""
    try:
        return bool(cache.add(key, 1, max(seconds, 1)))
    except Exception as error:
        logger.warning("The cache is away, so tasks are not counted: %s", for_logs(error))
        return True
