"""What the fields of a campaign must be together, and what cannot change once its coupons are out. The messages stand
beside the field that can be mended.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from typing import TYPE_CHECKING, Final
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from babel import Locale
from django.core.exceptions import ValidationError
from django.utils.translation import gettext
from moneyed import CURRENCIES

from .. import codes
from ..arithmetic import minor_unit

if TYPE_CHECKING:
    from djmoney.money import Money

    from .campaigns import Campaign

#: Years that an owner may mean. Beyond them are typing errors, and close to the ends of the calendar some zones have no
#: time at all for an instant.
FIRST_YEAR: Final = 2000
LAST_YEAR: Final = 2999

Errors = dict[str, "str | ValidationError"]

_LISTS: Final = ("products_in", "products_out", "categories_in", "categories_out", "countries")
#: The field that says how much of a benefit a coupon gives.
_VALUES: Final[Mapping[str, str]] = {"percent": "percent", "amount": "amount", "free_product": "free_product_ref"}
#: The conditions under which a coupon was given out.
_CONDITIONS: Final = (
    "minimum_spend",
    *_LISTS,
    "audience",
    "currency",
    "combinable",
    "limit_per_customer",
    "personal",
)


def find_errors(campaign: Campaign, settled: Collection[str]) -> Errors:
    """Return the messages by field. ``settled`` are fields that have their message already or are not on the form:
    they get none, and nothing is concluded from them.
    """
    rules: tuple[Callable[[Campaign, Collection[str]], Errors], ...] = (
        _benefit,
        _money,
        _currencies,
        _dates,
        _lists,
        _word,
        _word_limits,
        _word_offer,
    )
    errors: Errors = {}
    for rule in rules:
        for name, message in rule(campaign, {*settled, *errors}).items():
            if name not in settled:
                errors.setdefault(name, message)
    return errors


def find_broken_promises(before: Campaign, after: Campaign, settled: Collection[str]) -> Errors:
    """Return the messages for what has changed although coupons are out.

    Single codes keep their benefit and their conditions. The dates may change at any time, so that an owner can always
    stop, and a personal deadline is copied into each coupon: a change is for later ones. A public word promises nothing
    to anybody who has not used it yet, and what a used one was worth is written down with its use; only the kind of
    codes cannot change then.
    """
    errors: Errors = {}
    if "code_type" not in settled and before.code_type != after.code_type and _is_bound(before):
        errors["code_type"] = gettext("Codes of this campaign are already out, so their kind cannot change.")
    changed = [name for name in _CONDITIONS if name not in settled and _value(before, name) != _value(after, name)]
    if benefit := _changed_benefit(before, after, settled):
        changed.append(benefit)
    if changed and before.coupons.filter(is_word=False).exists():
        for name in changed:
            errors[name] = gettext(
                "Coupons of this campaign are already out: what they are worth, and for which orders and customers, "
                "cannot change. End this campaign and make a new one."
            )
    return errors


def _is_bound(campaign: Campaign) -> bool:
    """Whether codes of this kind are in customers' hands."""
    if campaign.code_type == campaign.CodeType.WORD:
        return campaign.coupons.filter(is_word=True, redemptions__isnull=False).exists()
    return campaign.coupons.filter(is_word=False).exists()


def _changed_benefit(before: Campaign, after: Campaign, settled: Collection[str]) -> str:
    """Return the field that is to blame if the coupons would give something else, or an empty text."""
    names = ("benefit", _VALUES.get(after.benefit, "benefit"))
    changed = [name for name in names if name not in settled and getattr(before, name) != getattr(after, name)]
    return "" if not changed else "benefit" if "benefit" not in settled else changed[0]


def _value(campaign: Campaign, name: str) -> object:
    value = getattr(campaign, name)
    return frozenset(value) if name in _LISTS else value


def _benefit(campaign: Campaign, settled: Collection[str]) -> Errors:
    if "benefit" in settled:
        return {}
    if campaign.benefit == campaign.Benefit.PERCENT and (campaign.percent is None or not 0 < campaign.percent <= 100):
        return {"percent": gettext("Enter a percentage above 0 and up to 100, for example 10.")}
    if campaign.benefit == campaign.Benefit.AMOUNT and (campaign.amount is None or campaign.amount.amount <= 0):
        return {"amount": gettext("Enter the amount that is taken off, for example 5.")}
    if campaign.benefit == campaign.Benefit.FREE_PRODUCT and not campaign.free_product_ref.strip():
        return {"free_product_ref": gettext("Choose the product of which one piece is free.")}
    return {}


def _money(campaign: Campaign, settled: Collection[str]) -> Errors:
    errors: Errors = {}
    minimum = None if "minimum_spend" in settled else campaign.minimum_spend
    if minimum is not None and minimum.amount <= 0:
        errors["minimum_spend"] = gettext("Enter an amount above 0, or leave it empty.")
    amount = None if "amount" in settled else _amount(campaign)
    for name, money in (("minimum_spend", minimum), ("amount", amount)):
        if money is not None and money.amount % minor_unit(money.currency.code):
            errors.setdefault(name, gettext("This amount is finer than the smallest coin of its currency."))
    return errors


def _currencies(campaign: Campaign, settled: Collection[str]) -> Errors:
    """One currency for all: a coupon whose parts are in several would fit no basket."""
    currency = "" if "currency" in settled else campaign.currency
    if currency and currency not in CURRENCIES:
        return {"currency": gettext("Enter a currency by its three letters, for example EUR.")}
    errors: Errors = {}
    amount = None if "amount" in settled else _amount(campaign)
    if amount is not None and currency and amount.currency.code != currency:
        errors["currency"] = gettext(
            "The amount is in %(currency)s: choose the same currency here, or leave it empty."
        ) % {"currency": amount.currency.code}
    expected = amount.currency.code if amount is not None else currency
    minimum = None if "minimum_spend" in settled else campaign.minimum_spend
    if minimum is not None and expected and minimum.currency.code != expected:
        errors["minimum_spend"] = gettext("Enter the minimum in %(currency)s, as the rest of this campaign.") % {
            "currency": expected
        }
    return errors


def _amount(campaign: Campaign) -> Money | None:
    """Return the amount off where it means something."""
    return campaign.amount if campaign.benefit == campaign.Benefit.AMOUNT else None


def find_zone(name: str) -> ZoneInfo | None:
    """Return the zone of this IANA name, or ``None``."""
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return None


def _dates(campaign: Campaign, settled: Collection[str]) -> Errors:
    errors: Errors = {}
    both = campaign.starts_at and campaign.ends_at
    if both and "starts_at" not in settled and campaign.ends_at <= campaign.starts_at:  # type: ignore[operator]
        errors["ends_at"] = gettext("The end must be after the beginning.")
    if find_zone(campaign.zone) is None:
        errors["zone"] = gettext("Choose a time zone by its name, for example Europe/Berlin.")
    return errors


def _lists(campaign: Campaign, settled: Collection[str]) -> Errors:
    errors: Errors = {}
    for name in _LISTS:
        refs = getattr(campaign, name)
        if not isinstance(refs, list) or not all(isinstance(ref, str) and ref for ref in refs):
            errors[name] = gettext("Choose from the list.")
    territories = Locale("en").territories
    if "countries" not in errors and any(len(code) != 2 or code not in territories for code in campaign.countries):
        errors["countries"] = gettext("Enter countries by their two letters, for example DE.")
    kinds = {
        "products": gettext("A product cannot be let in and left out at the same time: %(refs)s"),
        "categories": gettext("A category cannot be let in and left out at the same time: %(refs)s"),
    }
    for kind, message in kinds.items():
        let_in, left_out = f"{kind}_in", f"{kind}_out"
        if not {let_in, left_out}.isdisjoint({*settled, *errors}):
            continue
        both = sorted(set(getattr(campaign, let_in)) & set(getattr(campaign, left_out)))
        if both:
            errors[left_out] = message % {"refs": ", ".join(both)}
    return errors


def _word(campaign: Campaign, settled: Collection[str]) -> Errors:
    if not {"code_type", "word"}.isdisjoint(settled):
        return {}
    if campaign.code_type != campaign.CodeType.WORD:
        text = gettext("Single codes need no word: choose “One public word” above, or leave this empty.")
        return {"word": text} if campaign.word else {}
    if not campaign.word:
        return {"word": gettext("Enter the word, for example SPRING10.")}
    try:
        key = codes.clean_word(campaign.word)
    except ValidationError as error:
        return {"word": error}
    coupons = campaign.coupons.model.objects.exclude(is_word=True, campaign_id=campaign.pk)
    if coupons.filter(code=key).exists():
        return {"word": gettext("This word is taken: another campaign uses it, perhaps with an O for a 0.")}
    return {}


def _word_limits(campaign: Campaign, settled: Collection[str]) -> Errors:
    if "code_type" in settled or campaign.code_type != campaign.CodeType.WORD:
        return {}
    errors: Errors = {}
    if campaign.personal:
        errors["personal"] = gettext("A public word belongs to everybody. Choose single codes for a personal coupon.")
    if campaign.deadline_minutes is not None:
        errors["deadline_minutes"] = gettext(
            "A public word has one end for everybody: “until”. Choose single codes for a personal deadline."
        )
    limits = (campaign.total_limit, campaign.limit_per_customer)
    has_no_limit = {"total_limit", "limit_per_customer"}.isdisjoint(settled) and limits == (None, None)
    if has_no_limit and not campaign.is_unlimited:
        errors["total_limit"] = gettext(
            "Anybody can guess a word or pass it on. Enter a limit here or for each customer, or tick the box that "
            "you want none."
        )
    return errors


def _word_offer(campaign: Campaign, settled: Collection[str]) -> Errors:
    """A word is no coupon of one's own that could be the next step after registering."""
    if "code_type" in settled or campaign.code_type != campaign.CodeType.WORD or not campaign.offer_after_registration:
        return {}
    return {
        "offer_after_registration": gettext(
            "A public word is nobody’s own, so it cannot be given to somebody who registers. "
            "Choose single codes for it, or untick this."
        )
    }
