"""What stands behind the custom condition and the custom benefits of our offers.

Oscar finds these classes by the dotted path in ``proxy_class`` and builds them with the columns of the row. They are
plain classes and no proxy models: a model of ours in Oscar's app would want a migration there.
"""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from django.utils import timezone
from django.utils.html import conditional_escape
from django.utils.safestring import SafeString
from django.utils.translation import gettext
from oscar.core.loading import get_class, get_classes, get_model

from coupons.models import Campaign

from .facts import SLUG, Needs, line_of, read_facts, request_of
from .settling import Settlement, settle

ConditionalOffer = get_model("offer", "ConditionalOffer")
BasketDiscount, SHIPPING_DISCOUNT, ZERO_DISCOUNT = get_classes(
    "offer.results", ["BasketDiscount", "SHIPPING_DISCOUNT", "ZERO_DISCOUNT"]
)
apply_discount = get_class("offer.benefits", "apply_discount")


def campaign_of(offer: Any) -> Campaign | None:
    """Return the campaign that an offer of ours stands for."""
    key = str(offer.slug).removeprefix(SLUG) if offer is not None else ""
    return Campaign.objects.filter(pk=key).first() if key.isdecimal() else None


class Custom:
    """A condition or benefit of Oscar's, made from the columns of its row."""

    #: Which of an offer's two rows it is.
    role = ""

    def __init__(self, **columns: Any) -> None:
        self.__dict__.update(columns)

    #: Neither asks for products of its own: the campaign does.
    range = None

    def __str__(self) -> str:
        return self.name

    @property
    def name(self) -> SafeString:
        """What the dashboard shows. Safe as it is: Oscar's templates do not escape it."""
        campaign = campaign_of(ConditionalOffer.objects.filter(**{f"{self.role}_id": self.__dict__.get("id")}).first())
        return conditional_escape(self.describe(campaign) if campaign is not None else gettext("A coupon campaign"))

    @property
    def description(self) -> SafeString:
        """The same: there is no more to say."""
        return self.name

    def describe(self, campaign: Campaign) -> str:
        """Return what it means for this campaign, in plain text."""
        raise NotImplementedError


class CouponCondition(Custom):
    """The basket is one for the coupon: whatever the campaign says, and everything about the coupon itself."""

    role = "condition"

    def describe(self, campaign: Campaign) -> str:
        return gettext("As the campaign “%(title)s” says") % {"title": campaign.title}

    def is_satisfied(self, offer: Any, basket: Any) -> bool:
        """Tell whether the coupon takes something off this basket.

        An offer that does not know its voucher (a shop may ask so) is answered for the campaign.
        """
        voucher = offer.get_voucher()
        if voucher is not None:
            return settle(basket, voucher=voucher).of(voucher) is not None
        campaign = campaign_of(offer)
        if campaign is None or not campaign.is_running(timezone.now()):
            return False
        facts = read_facts(basket, request=request_of(basket), needs=Needs.of([campaign]))
        return not campaign.conditions.why_not(facts)

    def is_partially_satisfied(self, offer: Any, basket: Any) -> bool:
        """No: a coupon is no reason to advertise."""
        return False

    def get_upsell_message(self, offer: Any, basket: Any) -> None:
        """Nothing, for the same reason."""

    def can_apply_condition(self, line: Any) -> bool:
        """Tell nothing of single lines: the condition takes no goods away from the shop's other offers."""
        return False

    def get_applicable_lines(self, offer: Any, basket: Any, most_expensive_first: bool = True) -> list[Any]:
        """Return no lines."""
        return []

    def consume_items(self, offer: Any, basket: Any, affected_lines: Any) -> None:
        """Take no goods away from the shop's other offers; the benefit does, from those it makes cheaper."""


class CouponBenefit(Custom):
    """What the coupon gives."""

    role = "benefit"

    def describe(self, campaign: Campaign) -> str:
        return campaign.headline

    def apply(self, basket: Any, condition: Any, offer: Any) -> Any:
        """Take it off the basket and return Oscar's result."""
        raise NotImplementedError

    def apply_deferred(self, basket: Any, order: Any, application: Any) -> None:
        """Nothing happens later."""

    def shipping_discount(self, charge: Decimal, currency: str | None = None) -> Decimal:
        """Return how much of this shipping charge it pays."""
        return Decimal("0.00")


class GoodsBenefit(CouponBenefit):
    """Percent, amount or a free product: by our own arithmetic, line by line (CO-4)."""

    def apply(self, basket: Any, condition: Any, offer: Any) -> Any:
        voucher = offer.get_voucher()
        settlement = settle(basket, voucher=voucher) if voucher is not None else Settlement()
        discount = settlement.of(voucher)
        if discount is None:
            return ZERO_DISCOUNT
        pieces = 1 if settlement.gives(voucher, Campaign.Benefit.FREE_PRODUCT) else None
        shares: dict[str, Decimal] = {}
        for ref, money in discount.lines.items():
            shares[line_of(ref)] = shares.get(line_of(ref), Decimal(0)) + money.amount
        taken = Decimal("0.00")
        for line in basket.all_lines():
            share = shares.get(str(line.pk))
            # Oscar applies offers a second time to a basket on which it has put another voucher.
            if share is None or line.has_offer_discount(offer):
                continue
            share = min(share, line.unit_effective_price * line.quantity - line.discounts.total)
            if share > 0:
                apply_discount(line, share, pieces or line.quantity, offer)
                taken += share
        return BasketDiscount(taken)


class ShippingBenefit(CouponBenefit):
    """Free shipping."""

    def apply(self, basket: Any, condition: Any, offer: Any) -> Any:
        voucher = offer.get_voucher()
        if voucher is None or not settle(basket, voucher=voucher).gives(voucher, Campaign.Benefit.FREE_SHIPPING):
            return ZERO_DISCOUNT
        return SHIPPING_DISCOUNT

    def shipping_discount(self, charge: Decimal, currency: str | None = None) -> Decimal:
        return charge
