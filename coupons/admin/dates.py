"""Dates as the owner means them: the time on a wall clock, in a zone (CD-7). The columns hold the instants."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo, available_timezones

from django import forms
from django.utils.dateparse import parse_datetime
from django.utils.translation import gettext_lazy as _
from wagtail.admin.widgets import AdminDateTimeInput

from ..models.rules import FIRST_YEAR, LAST_YEAR


def is_real(wall: datetime, zone: ZoneInfo) -> bool:
    """Whether clocks in this zone ever show this time: in spring they leave out half an hour or an hour."""
    instant = wall.replace(tzinfo=zone).astimezone(UTC)
    return instant.astimezone(zone).replace(tzinfo=None) == wall


def to_instant(wall: datetime, zone: ZoneInfo, *, ends: bool) -> datetime:
    """Return the instant (UTC) of a naive time on the wall clock.

    In autumn clocks show an hour twice. A beginning is the first of the two and an end (``ends``) the second, so that
    customers have the longer time (CD-7). Raises ``ValueError`` for a time that clocks leave out.
    """
    if not is_real(wall, zone):
        raise ValueError(f"{wall} does not exist in {zone.key}")
    return wall.replace(tzinfo=zone, fold=1 if ends else 0).astimezone(UTC)


def to_wall(instant: datetime, zone: ZoneInfo) -> datetime:
    """Return what a clock in this zone shows at an instant, as a naive time; at the ends of the calendar, where it would
    show none, the time in UTC.
    """
    try:
        local = instant.astimezone(zone)
    except OverflowError:
        local = instant.astimezone(UTC)
    return local.replace(tzinfo=None, fold=0)


def zone_choices(*also: str) -> list[tuple[str, str]]:
    """Return the IANA zones that people live in, by continent; and ``also``, whatever they are."""
    continents = (
        "Africa/",
        "America/",
        "Antarctica/",
        "Asia/",
        "Atlantic/",
        "Australia/",
        "Europe/",
        "Indian/",
        "Pacific/",
    )
    names = {name for name in available_timezones() if name.startswith(continents)} | {"UTC", *filter(None, also)}
    return [(name, name.replace("_", " ")) for name in sorted(names)]


class WallClockField(forms.DateTimeField):
    """A date and time without a zone: what the owner typed, as a naive value."""

    widget = AdminDateTimeInput
    default_error_messages = {
        "not_real": _("Clocks are put forward here: this time does not exist. Choose another one."),
        "year": _("Enter a year from %(first)s to %(last)s."),
    }

    def to_python(self, value: Any) -> datetime | None:
        if value in self.empty_values:
            return None
        if not isinstance(value, datetime):
            text = str(value).strip()
            try:
                found = parse_datetime(text)
            except ValueError as error:
                raise forms.ValidationError(self.error_messages["invalid"], code="invalid") from error
            # The step over DateTimeField, which would read the text in the zone of the site.
            value = found if found is not None else super(forms.DateTimeField, self).to_python(text)
        if not FIRST_YEAR <= value.year <= LAST_YEAR:
            # As texts: a language may group the digits of a number.
            years = {"first": str(FIRST_YEAR), "last": str(LAST_YEAR)}
            raise forms.ValidationError(self.error_messages["year"], code="year", params=years)
        naive: datetime = value.replace(tzinfo=None)
        return naive
