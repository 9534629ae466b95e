"""What a campaign promises, and to whom, in the owner's words."""

from __future__ import annotations

from datetime import datetime

from django.utils.formats import date_format
from django.utils.translation import gettext, ngettext

from ..models import Campaign
from ..money import active_locale, money_text
from .dates import to_wall


def facts_of(campaign: Campaign) -> list[tuple[str, str]]:
    """Return what is set of a campaign's rules, as (label, text); what is left open is left out."""
    rows = [*_for_whom(campaign), *_for_what(campaign), *_when(campaign), *_how_often(campaign)]
    return [(label, text) for label, text in rows if text]


def _for_whom(campaign: Campaign) -> list[tuple[str, str]]:
    names = active_locale().territories
    audience = "" if campaign.audience == Campaign.Audience.EVERYBODY else campaign.get_audience_display()
    return [
        (gettext("For"), audience),
        (gettext("Only deliveries to"), ", ".join(names.get(code, code) for code in campaign.countries)),
        (gettext("Only orders in"), campaign.currency),
    ]


def _for_what(campaign: Campaign) -> list[tuple[str, str]]:
    minimum = campaign.minimum_spend
    return [
        (gettext("Minimum spend"), money_text(minimum) if minimum is not None else ""),
        (gettext("Free product"), campaign.free_product_ref if campaign.benefit == "free_product" else ""),
        (gettext("Only these products"), _some(campaign.products_in)),
        (gettext("Not these products"), _some(campaign.products_out)),
        (gettext("Only these categories"), _some(campaign.categories_in)),
        (gettext("Not these categories"), _some(campaign.categories_out)),
        (gettext("Other coupons"), "" if campaign.combinable else gettext("cannot be used together with it")),
        (gettext("Conditions for the customer"), campaign.terms),
    ]


def _some(refs: list[str], shown: int = 5) -> str:
    text = ", ".join(refs[:shown])
    more = len(refs) - shown
    return text if more <= 0 else text + " " + ngettext("and one more", "and %(count)s more", more) % {"count": more}


def _when(campaign: Campaign) -> list[tuple[str, str]]:
    minutes = campaign.deadline_minutes
    deadline = (
        "" if minutes is None else ngettext("%(count)s minute", "%(count)s minutes", minutes) % {"count": minutes}
    )
    return [
        (gettext("From"), _date(campaign, campaign.starts_at)),
        (gettext("Until"), _date(campaign, campaign.ends_at)),
        (gettext("Personal deadline"), deadline),
    ]


def _date(campaign: Campaign, instant: datetime | None) -> str:
    if instant is None:
        return ""
    wall = date_format(to_wall(instant, campaign.tzinfo), "DATETIME_FORMAT", use_l10n=True)
    return f"{wall} ({campaign.zone.replace('_', ' ')})"


def _how_often(campaign: Campaign) -> list[tuple[str, str]]:
    is_word = campaign.code_type == Campaign.CodeType.WORD
    return [
        (gettext("Uses in all"), _number(campaign.total_limit)),
        (gettext("Uses per customer"), _number(campaign.limit_per_customer)),
        (gettext("Uses per coupon"), "" if is_word else _number(campaign.uses_per_coupon)),
        (gettext("The customer gets the use back"), campaign.get_give_back_display()),
    ]


def _number(value: int | None) -> str:
    return "" if value is None else str(value)
