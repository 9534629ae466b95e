"""Numbers, money and times in the customer's language; and the few placeholders an editor may write."""

from __future__ import annotations

import re
from datetime import datetime

from babel import Locale, UnknownLocaleError
from babel.dates import format_date, format_skeleton
from babel.numbers import format_currency
from django.utils.translation import get_language, to_locale
from django.utils.translation import gettext as _
from djmoney.money import Money

from coupons.wording import in_words

from .flow import Flow

_PLACEHOLDER = re.compile(r"\{(first_name|order_number)\}")
#: With nothing to fill in, the comma or space before a placeholder goes too: "Thank you, {first_name}" → "Thank you".
_EMPTY = {
    "first_name": re.compile(r"[,\s]*\{first_name\}"),
    "order_number": re.compile(r"\s*\{order_number\}"),
}


def fill_placeholders(text: str, flow: Flow) -> str:
    """Fill ``{first_name}`` and ``{order_number}``. Nothing is evaluated, and what is filled in is not filled again
    (EM-8).

    The result is plain text (or the same HTML with plain text in it): the caller escapes what was filled in.
    """
    order = flow.order
    values = {
        "first_name": order.first_name.strip() if order is not None else "",
        "order_number": order.number if order is not None else "",
    }
    for name, value in values.items():
        if not value:
            text = _EMPTY[name].sub("", text)
    return _PLACEHOLDER.sub(lambda match: values[match[1]], text)


def babel_locale() -> Locale:
    """Return Babel's locale for Django's active language; English if Babel does not know it."""
    try:
        return Locale.parse(to_locale(get_language() or "en"))
    except (UnknownLocaleError, ValueError):
        return Locale("en")


def format_money(amount: Money) -> str:
    """Return an amount as the customer's locale writes it: "€4.90", "4,90 €"."""
    return str(format_currency(amount.amount, str(amount.currency), locale=babel_locale()))


def format_deadline(ends_at: datetime, *, now: datetime | None = None) -> str:
    """Return a point in time in words, as in "until …": "18:30 today (CET)", "Monday, 3 March, 18:30 (CET)".

    Rounded down to the minute, never up: what is shown never exceeds the truth (CD-2). Names the zone (CD-6).
    """
    return in_words(ends_at, now=now)


def format_day(day: object) -> str:
    """Return a date with its weekday, without the year: "Tue, 24 Nov", "Di., 24. Nov."."""
    locale = babel_locale()
    if locale.language != "en":
        return str(format_skeleton("MMMEd", day, locale=locale))  # type: ignore[arg-type]
    pattern = "EEE, MMM d" if str(locale) in {"en", "en_US"} else "EEE, d MMM"
    return str(format_date(day, format=pattern, locale=locale))  # type: ignore[arg-type]


def format_country(code: str) -> str:
    """Return the name of a country (ISO 3166-1 alpha-2); what was given if there is no such country."""
    # Babel's names need no app in INSTALLED_APPS to be in the customer's language.
    return str(babel_locale().territories.get(code.upper(), code))


def format_remaining(ends_at: datetime, *, now: datetime) -> str:
    """Return how much time is left, in whole minutes and rounded down: "58 minutes", "1 hour 5 minutes"."""
    minutes = max(0, int((ends_at - now).total_seconds() // 60))
    hours, minutes = divmod(minutes, 60)
    if hours and minutes:
        return _("%(hours)d h %(minutes)d min") % {"hours": hours, "minutes": minutes}
    if hours:
        return _("%(hours)d h") % {"hours": hours}
    if minutes:
        return _("%(minutes)d min") % {"minutes": minutes}
    return _("less than a minute")
