"""Money in words."""

from __future__ import annotations

from babel import Locale, UnknownLocaleError
from babel.numbers import format_currency
from django.conf import settings
from django.utils.translation import get_language
from djmoney.money import Money


def active_locale() -> Locale:
    """Return Babel's locale for the active language; English for one that Babel does not know."""
    try:
        return Locale.parse(get_language() or settings.LANGUAGE_CODE, sep="-")
    except (UnknownLocaleError, ValueError):
        return Locale("en")


def money_text(money: Money) -> str:
    """Return an amount as it is written in the active language, with the decimals of its currency: "€5.00"."""
    return format_currency(money.amount, money.currency.code, locale=active_locale())
