"""Sample facts for previews of mails and for test mails. Nothing of them exists, is written, or is asked of the shop."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, Final

from django.conf import settings as django_settings
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from djmoney.money import Money

from ..conf import app_settings
from ..samples import SAMPLE_CODE, sample_currency, sample_order
from ..values import Product

if TYPE_CHECKING:
    from coupons.models import Campaign, Coupon

    from ..followups.facts import MailFacts

#: Preview mode → what the owner reads in the list of previews.
SAMPLES: Final[dict[str, Any]] = {
    "first_order": gettext_lazy("First order, as a guest"),
    "returning": gettext_lazy("Returning customer"),
    "coupon_unused": gettext_lazy("Coupon unused"),
    "wish_list": gettext_lazy("Wish list"),
    "no_order": gettext_lazy("No order known"),
}
#: Where a preview's links begin if nobody says it.
SAMPLE_BASE_URL: Final = "https://shop.example"
#: A sample coupon without a personal deadline ends after so many days.
SAMPLE_DAYS: Final = 14


def sample_facts(mode: str) -> MailFacts:
    """Return the facts of a preview mode (one of ``SAMPLES``; an unknown one gives the first).

    The links to unsubscribe and to the preferences lead nowhere: they belong to nobody.
    """
    from ..followups.facts import MailFacts

    now = timezone.now()
    base_url = _base_url()
    facts = MailFacts(
        now=now,
        first_name=_("Ana"),
        shop_name=_shop_name(),
        base_url=base_url,
        preferences_url=f"{base_url}/sample/preferences/",
        unsubscribe_url=f"{base_url}/sample/unsubscribe/",
        is_preview=True,
        extra={"mode": mode if mode in SAMPLES else "first_order", "is_first_order": mode != "returning"},
    )
    if mode == "no_order":
        # Somebody on a list, of whom nothing is known but the address.
        return replace(facts, first_name="")
    if mode == "wish_list":
        return replace(
            facts, products=sample_products(), title=_("For the new kitchen"), url=f"{base_url}/sample/list/"
        )
    order = replace(sample_order(), placed_at=now - timedelta(days=3))
    if mode == "returning":
        order = replace(order, number=_("SAMPLE-2"))
    facts = replace(facts, order=order, products=sample_products())
    return replace(facts, coupon=sample_coupon(now=now)) if mode == "coupon_unused" else facts


def sample_coupon(campaign: Campaign | None = None, *, now: datetime | None = None) -> Coupon:
    """Return a coupon that looks real and is never saved: of this campaign, or of a made-up one."""
    from coupons.models import Campaign, Coupon

    now = now or timezone.now()
    if campaign is None:
        campaign = Campaign(title=_("Sample"), benefit=Campaign.Benefit.FREE_SHIPPING, status=Campaign.Status.RUNNING)
    if campaign.code_type == Campaign.CodeType.WORD:
        return Coupon(campaign=campaign, code=SAMPLE_CODE, is_word=True, usage_limit=None, issued_at=now)
    is_locked = campaign.asks
    minutes = campaign.deadline_minutes
    span = timedelta(minutes=minutes) if minutes else timedelta(days=SAMPLE_DAYS)
    return Coupon(
        campaign=campaign,
        code=SAMPLE_CODE,
        state=Coupon.State.LOCKED if is_locked else Coupon.State.AVAILABLE,
        issued_at=now,
        ends_at=None if is_locked or not (minutes or campaign.pk is None) else now + span,
        deadline_minutes=minutes,
        usage_limit=1,
        used=0,
    )


def sample_products() -> tuple[Product, ...]:
    """Return three products without pictures, as mail programs show them before "load images" is pressed."""
    currency = sample_currency()
    return tuple(
        Product(ref=f"sample-{number}", title=title, url="/sample/product/", price=Money(price, currency))
        for number, (title, price) in enumerate(
            (
                (_("A sample product"), "12.50"),
                (_("Another sample product with a rather long name"), "18.90"),
                (_("A third sample product"), "7.00"),
            ),
            start=1,
        )
    )


def _base_url() -> str:
    from .links import base_url

    try:
        return base_url()
    except (ValueError, NotImplementedError):
        return app_settings.base_url.rstrip("/") or SAMPLE_BASE_URL


def _shop_name() -> str:
    return str(getattr(django_settings, "WAGTAIL_SITE_NAME", "") or _("Your shop"))
