"""The work that a background worker does for ``coupons``, where the project has one (Django's ``TASKS``).

The task is thin, and only makes it sooner: what is to be done stands in the batch, so a task that is lost, killed or
run twice does no harm. Importing this module needs a ``TASKS`` with a backend called ``default``.
"""

from __future__ import annotations

from importlib import import_module
from typing import Any, Final

import django

from .bulk import work_batch
from .models import CouponBatch

#: Django's own since 6.0; before that the package that Wagtail brings.
_library: Final[Any] = import_module("django.tasks" if django.VERSION >= (6, 0) else "django_tasks")


@_library.task()
def make_codes(batch_id: int) -> int:
    """Make all codes of a batch that nobody else is at, and return how many it has then."""
    batch = CouponBatch.objects.select_related("campaign").filter(pk=batch_id).first()
    return 0 if batch is None else work_batch(batch=batch).made


def has_worker() -> bool:
    """Return whether the default backend hands tasks to somebody else, and does not run them at once."""
    return type(_library.task_backends[make_codes.backend]).__name__ != "ImmediateBackend"
