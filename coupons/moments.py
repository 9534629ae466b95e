"""Points in time that callers hand in."""

from __future__ import annotations

from datetime import datetime

from django.utils import timezone


def moment(now: datetime | None) -> datetime:
    """Return ``now``, or the present. Raises ``ValueError`` for a time without a zone: it would be taken for another
    one, and a reservation could be over before it began (CD-7).
    """
    if now is None:
        return timezone.now()
    if timezone.is_naive(now):
        raise ValueError(f"{now!r} has no time zone; give an aware datetime")
    return now
