"""Numbers, money and times in the customer's language; and the few placeholders an editor may write."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import datetime, timedelta

from babel import Locale, UnknownLocaleError
from babel.dates import format_date, format_skeleton
from babel.numbers import format_currency
from django.utils.translation import get_language, to_locale
from django.utils.translation import gettext as _
from djmoney.money import Money

from coupons.wording import in_words

from .flow import Flow

#: Tags that may stand between a comma and the placeholder behind it: "Hello, <b>{first_name}</b>".
_INLINE_TAGS = r"(?P<tags>(?:</?(?:a|b|em|i|span|strong)\b[^<>]*>)*)"
#: The beginning of a text, or of a paragraph in HTML.
_BEGINNING = r"(?P<begin>^\s*|<(?:p|li|h[1-6])\b[^<>]*>\s*)"


def fill(text: str, values: Mapping[str, str]) -> str:
    """Fill ``{name}`` for every name in ``values``. Nothing is evaluated, and what is filled in is not filled again; an
    unknown placeholder stays as it is (EM-8).

    With nothing to fill in, the comma, colon or space before goes too ("Thank you, {first_name}" → "Thank you"), and at
    the beginning the one behind ("{first_name}, thank you" → "Thank you"). ``text`` may be HTML: then the caller has
    escaped the values.
    """
    for name, value in values.items():
        if not value and f"{{{name}}}" in text:
            text = _without(text, name)
    return re.sub(r"\{(\w+)\}", lambda match: values.get(match[1]) or match[0], text)


def _without(text: str, name: str) -> str:
    hole = rf"\{{{name}\}}"
    first = re.compile(
        _BEGINNING + _INLINE_TAGS + hole + r"(?P<after>(?:</(?:a|b|em|i|span|strong)>)*)[,:]?\s*(?P<next>\w?)"
    )
    text = first.sub(lambda match: f"{match['begin']}{match['tags']}{match['after']}{match['next'].upper()}", text)
    return re.sub(r"[\s,:;]*" + _INLINE_TAGS + hole, lambda match: match["tags"], text)


def fill_placeholders(text: str, flow: Flow) -> str:
    """Fill ``{first_name}`` and ``{order_number}`` of a page's text: see :func:`fill`.

    The result is plain text (or the same HTML with plain text in it): the caller escapes what was filled in.
    """
    order = flow.order
    return fill(
        text,
        {
            "first_name": order.first_name.strip() if order is not None else "",
            "order_number": order.number if order is not None else "",
        },
    )


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


def format_deadline_in_full(ends_at: datetime) -> str:
    """Return the same with its date, for what is read later than it is written: in a mail, "today" is not today any more
    when it is opened the next morning (CD-2).
    """
    return in_words(ends_at, now=ends_at - timedelta(days=7))


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
