"""The task that sends mail as soon as there is some, where the project has a task backend (Django's ``TASKS``).

Importing this module needs a ``TASKS`` with a backend called ``default``. The task is thin: what is to be sent stands in
our rows, so that a task that is lost, killed or run twice does no harm.
"""

from __future__ import annotations

from dataclasses import asdict
from importlib import import_module
from typing import Any, Final

import django
from django.utils import timezone

from ..models import Message
from .connections import SHORT_TIMEOUT
from .sending import Run

#: Django's own since 6.0; before that the package that Wagtail brings.
_library: Final[Any] = import_module("django.tasks" if django.VERSION >= (6, 0) else "django_tasks")

#: Task backends end a job that takes long; a full outbox is sent by one short job after another.
SECONDS: Final = 60
#: What a request that sends its own mails has for it.
SECONDS_INLINE: Final = 10


@_library.task()
def send_messages(ids: list[int] | None = None) -> dict[str, int]:
    """Send what is due, and return the numbers of the report. With ``ids`` only these messages, and in a hurry: somebody
    waits for the answer to a request.
    """
    if ids is not None:
        return asdict(Run(ids=ids, seconds=SECONDS_INLINE, patience=1, timeout=SHORT_TIMEOUT).go())
    report = Run(seconds=SECONDS).go()
    if report.sent and Message.objects.due(timezone.now()).exists():
        send_messages.enqueue()
    return asdict(report)
