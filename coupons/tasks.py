"""The work that a background worker does for ``coupons``, where the project has one (Django's ``TASKS``).

The task is thin, and only makes it sooner: what is to be done stands in the batch, so a task that is lost, killed or
run twice does no harm. Importing this module needs a ``TASKS`` with a backend called ``default``.
"""

from __future__ import annotations

from typing import Any

try:
    from django.tasks import task, task_backends
except ImportError:  # Before Django 6: the package that Wagtail brings.
    from django_tasks import task, task_backends

from .bulk import work_batch
from .models import CouponBatch


@task()
def make_codes(batch_id: int) -> int:
    """Make all codes of a batch that nobody else is at, and return how many it has then."""
    batch = CouponBatch.objects.select_related("campaign").filter(pk=batch_id).first()
    return 0 if batch is None else work_batch(batch=batch).made


def has_worker() -> bool:
    """Return whether the default backend hands tasks to somebody else, and does not run them at once."""
    backend: Any = task_backends[make_codes.backend]
    return type(backend).__name__ != "ImmediateBackend"
