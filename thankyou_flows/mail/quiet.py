"""Quiet hours: nobody's phone shall ring at night for our mails (EM-12)."""

from __future__ import annotations

import re
from datetime import UTC, datetime, time, timedelta
from typing import Final
from zoneinfo import ZoneInfo

from django.conf import settings as django_settings

from ..conf import DEFAULTS, app_settings

_CLOCK: Final = r"([01]?\d|2[0-3])(?::([0-5]\d))?"
_SPAN: Final = re.compile(rf"\s*{_CLOCK}\s*-\s*{_CLOCK}\s*", re.ASCII)


def next_morning(at: datetime, *, time_zone: str) -> datetime | None:
    """Return when the quiet hours end in which ``at`` lies, in this zone (an IANA name; the shop's own if it is empty or
    unknown); None outside of them.

    They are hours of the clock on the wall: where it is put forward or back that night, they are an hour shorter or
    longer (EM-12).
    """
    span = quiet_span()
    if span is None:
        return None
    start, end = span
    local = at.astimezone(zone_of(time_zone))
    if not _is_quiet(local.time(), start, end):
        return None
    morning = datetime.combine(local.date(), end, tzinfo=local.tzinfo)
    if local.time() >= start and start > end:
        morning += timedelta(days=1)
    # Compared as instants: between two times of one zone, Python compares the clocks on the wall. Where the clock shows
    # the end twice, and the first time is over, it is the second.
    if morning.astimezone(UTC) <= at:
        morning = morning.replace(fold=1)
    return morning.astimezone(UTC)


def quiet_span() -> tuple[time, time] | None:
    """Return when the quiet hours begin and end, as THANKYOU_FLOWS["QUIET_HOURS"] says; None for none. What cannot be
    read counts as the default: rather too quiet than too loud.
    """
    setting = app_settings.quiet_hours.strip()
    if not setting:
        return None
    span = read_span(setting) or read_span(str(DEFAULTS["QUIET_HOURS"]))
    return span if span and span[0] != span[1] else None


def zone_of(name: str) -> ZoneInfo:
    """Return the zone with this IANA name, or the shop's own if there is none such."""
    for candidate in (name, django_settings.TIME_ZONE):
        if candidate:
            try:
                return ZoneInfo(candidate)
            except (KeyError, ValueError, OSError):
                # Names come from shops and browsers, and may be anything.
                continue
    return ZoneInfo("UTC")


def read_span(setting: str) -> tuple[time, time] | None:
    """Return when a span such as "21:00-08:00" begins and ends; None if it can't be read. For the system check too."""
    found = _SPAN.fullmatch(setting)
    if found is None:
        return None
    start_hour, start_minute, end_hour, end_minute = (int(part or 0) for part in found.groups())
    return time(start_hour, start_minute), time(end_hour, end_minute)


def _is_quiet(clock: time, start: time, end: time) -> bool:
    return start <= clock < end if start < end else clock >= start or clock < end
