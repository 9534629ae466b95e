"""Time zones of customers: the order's own, or the one that its country leaves no doubt about (EM-12)."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime, time, tzinfo
from functools import cache
from zoneinfo import ZoneInfo

from babel.core import get_global
from django.utils import timezone

from ..values import Order


def find_zone(name: str) -> ZoneInfo | None:
    """Return the zone with this IANA name; None for an unknown one, and for no name."""
    try:
        return ZoneInfo(name) if name else None
    except (LookupError, ValueError, OSError):
        return None


def zone_or_shops(name: str) -> tzinfo:
    """Return the zone with this IANA name, or the shop's own."""
    return find_zone(name) or timezone.get_default_timezone()


def zone_of_order(order: Order) -> str:
    """Return the IANA name of the customer's zone as the order says it, else as the shipping address's country does if
    all its clocks agree; an empty text if nobody knows.
    """
    if find_zone(order.time_zone) is not None:
        return order.time_zone
    address = order.shipping_address
    return zone_of_country(address.country) if address is not None else ""


@cache
def zone_of_country(country: str) -> str:
    """Return a zone of a country (ISO 3166-1 alpha-2) in which all clocks show the same; else an empty text."""
    names = [name for name in get_global("territory_zones").get(country.upper(), ()) if find_zone(name) is not None]
    # Germany has two, one of them a village; they differ by nothing. In summer and in winter.
    moments = [datetime(2026, month, 1, tzinfo=UTC) for month in (1, 7)]
    clocks = {tuple(moment.astimezone(ZoneInfo(name)).utcoffset() for moment in moments) for name in names}
    return str(names[0]) if len(clocks) == 1 else ""


def moments_at(wall_time: time, *, day: date, zone: tzinfo) -> Iterator[datetime]:
    """Yield when clocks in this zone show this time on this day, in UTC: once, twice in the night when they are put back,
    and where they skip it the moment that comes so much after the skip.
    """
    first = datetime.combine(day, wall_time.replace(tzinfo=None, fold=0), tzinfo=zone)
    second = first.replace(fold=1)
    yield first.astimezone(UTC)
    if second.utcoffset() != first.utcoffset() and _shows(second, zone):
        yield second.astimezone(UTC)


def _shows(moment: datetime, zone: tzinfo) -> bool:
    """Tell whether clocks ever show this: not within the hour that they skip."""
    return moment.astimezone(UTC).astimezone(zone).replace(tzinfo=None, fold=0) == moment.replace(tzinfo=None, fold=0)
