"""Points in time in the customer's language."""

from __future__ import annotations

from datetime import datetime, timedelta

from babel import Locale
from babel.dates import format_date, format_time, get_timezone_name
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from .money import active_locale


def in_words(moment: datetime, *, now: datetime | None = None) -> str:
    """Return a point in time as in "until …": "18:30 today (CET)", "Monday, 3 March 2026, 18:30 (CET)".

    Rounded down to the minute, never up: what is shown never exceeds the truth (CD-2). Names the zone (CD-6).
    """
    local, today = timezone.localtime(moment), timezone.localtime(now).date()
    locale = active_locale()
    time = format_time(local.replace(second=0, microsecond=0), format="short", locale=locale)
    params = {"time": time, "zone": _zone(local, locale)}
    if local.date() == today:
        return _("%(time)s today (%(zone)s)") % params
    if local.date() == today + timedelta(days=1):
        return _("%(time)s tomorrow (%(zone)s)") % params
    return _("%(date)s, %(time)s (%(zone)s)") % {**params, "date": format_date(local, format="full", locale=locale)}


def day_in_words(moment: datetime) -> str:
    """Return a day: "3 March 2026"."""
    return str(format_date(timezone.localtime(moment), format="long", locale=active_locale()))


def good_for(minutes: int) -> str:
    """Return how long a coupon with this personal deadline can be used once it is unlocked, as a sentence."""
    if minutes % (24 * 60) == 0:
        days = minutes // (24 * 60)
        text = ngettext("Once unlocked, it is good for one day.", "Once unlocked, it is good for %(n)d days.", days)
        return text % {"n": days}
    if minutes % 60 == 0:
        hours = minutes // 60
        text = ngettext("Once unlocked, it is good for one hour.", "Once unlocked, it is good for %(n)d hours.", hours)
        return text % {"n": hours}
    text = ngettext(
        "Once unlocked, it is good for one minute.", "Once unlocked, it is good for %(n)d minutes.", minutes
    )
    return text % {"n": minutes}


def _zone(local: datetime, locale: Locale) -> str:
    """Return the zone's short name, in the customer's language if it has one there, or its distance from UTC."""
    for name in (str(get_timezone_name(local, width="short", locale=locale)), local.tzname() or ""):
        if name.isalpha():
            return name
    offset = f"{local:%z}"
    return f"UTC{offset[:3]}:{offset[3:5]}"
