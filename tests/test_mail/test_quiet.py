"""Quiet hours: in the person's own zone, across midnight, and in the nights when the clock is put."""

from __future__ import annotations

from datetime import UTC, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo, available_timezones

import pytest
from hypothesis import given
from hypothesis import strategies as st

from thankyou_flows.mail.quiet import next_morning, quiet_span, zone_of

#: Half hours, two hours, a day that never was, and the usual ones.
ZONES = [
    "Europe/Vienna",
    "America/New_York",
    "America/St_Johns",
    "Australia/Lord_Howe",
    "Antarctica/Troll",
    "Pacific/Apia",
    "Pacific/Chatham",
    "Africa/Casablanca",
    "Asia/Kolkata",
    "UTC",
]


def at(text: str) -> datetime:
    return datetime.fromisoformat(text)


@pytest.fixture
def quiet(settings: Any) -> Any:
    def set_to(span: str, zone: str = "Europe/Vienna") -> None:
        settings.THANKYOU_FLOWS = {**settings.THANKYOU_FLOWS, "QUIET_HOURS": span}
        settings.TIME_ZONE = zone

    set_to("21:00-08:00")
    return set_to


@pytest.mark.parametrize(
    ("moment", "morning"),
    [
        ("2026-01-10T20:59:59+01:00", None),
        ("2026-01-10T21:00:00+01:00", "2026-01-11T08:00:00+01:00"),
        ("2026-01-10T23:59:59+01:00", "2026-01-11T08:00:00+01:00"),
        ("2026-01-11T00:00:00+01:00", "2026-01-11T08:00:00+01:00"),
        ("2026-01-11T07:59:59+01:00", "2026-01-11T08:00:00+01:00"),
        ("2026-01-11T08:00:00+01:00", None),
        # The night of 29 March has an hour less, that of 25 October one more.
        ("2026-03-28T22:00:00+01:00", "2026-03-29T08:00:00+02:00"),
        ("2026-10-24T22:00:00+02:00", "2026-10-25T08:00:00+01:00"),
    ],
    ids=["before", "begins", "evening", "midnight", "early", "over", "spring", "autumn"],
)
def test_over_midnight(quiet: Any, moment: str, morning: str | None) -> None:
    """EM-12: 21:00 to 08:00 on the wall, whatever the offset of that night."""
    assert next_morning(at(moment), time_zone="Europe/Vienna") == (at(morning) if morning else None)


def test_in_the_persons_zone(quiet: Any) -> None:
    """EM-12: noon in Vienna is one in the morning in Auckland; without a zone, or with a wrong one, the shop's counts."""
    noon = at("2026-01-10T12:00:00+01:00")
    assert next_morning(noon, time_zone="Pacific/Auckland") == at("2026-01-11T08:00:00+13:00")
    for zone in ("", "Mars/Olympus", "../etc/passwd", "Europe", "\x00", "Äöü", "a" * 300):
        assert next_morning(noon, time_zone=zone) is None
        assert zone_of(zone) == ZoneInfo("Europe/Vienna")


@pytest.mark.parametrize(
    ("setting", "span"),
    [
        ("", None),
        ("21:00-08:00", (time(21), time(8))),
        (" 9 - 17:30 ", (time(9), time(17, 30))),
        ("08:00-08:00", None),
        ("25:00-08:00", (time(21), time(8))),
        ("at night", (time(21), time(8))),
        ("21:00", (time(21), time(8))),
    ],
    ids=["none", "usual", "loose", "empty_span", "no_such_hour", "words", "half"],
)
def test_the_setting(quiet: Any, setting: str, span: tuple[time, time] | None) -> None:
    """EM-12: empty is none; what cannot be read is the default, rather too quiet than too loud."""
    quiet(setting)
    assert quiet_span() == span


def test_an_end_that_the_clock_shows_twice_or_never(quiet: Any) -> None:
    """EM-12: hours that end at half past two, in the nights when the clock is put at three."""
    quiet("21:00-02:30")
    second_two = at("2026-10-25T02:10:00+01:00")
    assert next_morning(second_two, time_zone="Europe/Vienna") == at("2026-10-25T02:30:00+01:00")
    assert next_morning(at("2026-03-29T01:59:00+01:00"), time_zone="Europe/Vienna") == at("2026-03-29T03:30:00+02:00")


@given(
    moment=st.datetimes(datetime(2010, 1, 1), datetime(2030, 1, 1), timezones=st.just(UTC)),
    zone=st.sampled_from(ZONES) | st.sampled_from(sorted(available_timezones())),
    start=st.times(),
    end=st.times(),
)
def test_the_morning_is_a_morning(moment: datetime, zone: str, start: time, end: time) -> None:
    """EM-12: it lies ahead, by less than two days, and is not quiet itself; the clock shows the end, or the hour that
    the end fell into was left out that night.
    """
    from django.test import override_settings

    span = f"{start:%H:%M}-{end:%H:%M}"
    with override_settings(THANKYOU_FLOWS={"QUIET_HOURS": span}):
        morning = next_morning(moment, time_zone=zone)
        clock = moment.astimezone(ZoneInfo(zone)).time()
        begin, over = start.replace(second=0, microsecond=0), end.replace(second=0, microsecond=0)
        inside = begin <= clock < over if begin < over else clock >= begin or clock < over
        assert (morning is not None) == (inside and begin != over)
        if morning is None:
            return
        assert moment < morning <= moment + timedelta(days=2)
        local = morning.astimezone(ZoneInfo(zone))
        skipped = local.time() != over
        if skipped:
            wanted = local.replace(hour=over.hour, minute=over.minute, fold=0)
            assert wanted.astimezone(UTC).astimezone(ZoneInfo(zone)).time() != over or local.date() != wanted.date()
        else:
            assert next_morning(morning, time_zone=zone) is None
