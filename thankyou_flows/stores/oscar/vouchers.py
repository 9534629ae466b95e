"""Our coupons as Oscar vouchers, so that Oscar's own checkout honours them without any code of ours in it.

One voucher a coupon, linked to one offer a campaign, which a shop owner sees in Oscar's dashboard. A coupon that may be
used several times has an offer of its own, because Oscar counts global uses on the offer. Oscar does not know a paused
voucher: the offer of a campaign that is not running gets a condition that no basket meets.

Oscar decides about a single-use voucher under a row lock when it places an order. It counts further uses of a multi-use
voucher without one: two orders at the same instant may both take its last use. Our ledger then notes the second one as
accepted over the limit; a paid order is not refused for it (CO-2). Whom a coupon belongs to, Oscar does not ask.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.db import IntegrityError, transaction
from django.db.models import Q
from django.utils import timezone, translation
from oscar.core.loading import get_model

from coupons.conf import app_settings
from coupons.models import Campaign, Coupon

if TYPE_CHECKING:
    from djmoney.money import Money

Voucher = get_model("voucher", "Voucher")
ConditionalOffer = get_model("offer", "ConditionalOffer")
Condition = get_model("offer", "Condition")
Benefit = get_model("offer", "Benefit")
Range = get_model("offer", "Range")

#: Oscar's vouchers must end some day. A coupon without a deadline ends then.
FAR_FUTURE = datetime(2999, 12, 31, tzinfo=UTC)
#: Oscar honours one shipping offer an order, the first by priority. Nothing beats "free".
SHIPPING_PRIORITY = 1000
#: How many codes one statement names.
CHUNK = 500


@dataclass(frozen=True, slots=True)
class Promise:
    """What a campaign promises, in Oscar's words."""

    type: str
    value: Decimal
    priority: int = 0


def publish(*, coupon: Coupon, code: str) -> None:
    """Make or update the voucher of this coupon: benefit, limit, start and end. Safe to repeat, also at the same time.

    A coupon that is not available (locked, revoked) is withdrawn instead. Raises ImproperlyConfigured if the coupon is
    worth an amount in a currency that is not the shop's: it must not become the same number of something else.
    """
    if coupon.state != Coupon.State.AVAILABLE:
        withdraw(code=code)
        return
    promise = _promise_of(coupon.campaign)
    single_use = coupon.usage_limit == 1
    with transaction.atomic():
        offer = _offer_for(coupon, promise, single_use=single_use)
        with translation.override(settings.LANGUAGE_CODE):
            name = f"{coupon.campaign.headline} · {code}"[-128:]
        voucher, created = Voucher.objects.update_or_create(
            code=code.upper(),
            defaults={"end_datetime": _end_of(coupon)},
            create_defaults={
                "name": name,
                "usage": Voucher.SINGLE_USE if single_use else Voucher.MULTI_USE,
                "start_datetime": coupon.issued_at,
                "end_datetime": _end_of(coupon),
            },
        )
        if created or not voucher.offers.filter(pk=offer.pk).exists():
            voucher.offers.set([offer])


def withdraw(*, code: str) -> None:
    """Let the voucher end now, if there is one and it has not ended already."""
    now = timezone.now()
    # Oscar includes the last instant.
    Voucher.objects.filter(code=code.upper(), end_datetime__gte=now).update(
        end_datetime=now - timedelta(microseconds=1)
    )


def follow_campaign(*, campaign: Campaign, voucher_code: Callable[..., str]) -> None:
    """Bring the published coupons of this campaign up to date after it was paused, resumed, or given other dates."""
    slug = _slug_of(campaign)
    conditions = Condition.objects.filter(Q(offers__slug=slug) | Q(offers__slug__startswith=f"{slug}-"))
    if not conditions.exists():
        return
    # Not in one statement: databases do not update what they join.
    keys = list(conditions.values_list("pk", flat=True))
    Condition.objects.filter(pk__in=keys).update(**_condition_of(campaign))
    codes: dict[datetime, list[str]] = defaultdict(list)
    alive = Q(ends_at=None) | Q(ends_at__gt=timezone.now() - app_settings.grace)
    for coupon in campaign.coupons.filter(alive, state=Coupon.State.AVAILABLE).iterator():
        coupon.campaign = campaign
        codes[_end_of(coupon)].append(voucher_code(coupon=coupon))
    for end, ending_then in codes.items():
        for start in range(0, len(ending_then), CHUNK):
            chunk = ending_then[start : start + CHUNK]
            Voucher.objects.filter(code__in=chunk).exclude(end_datetime=end).update(end_datetime=end)


def _end_of(coupon: Coupon) -> datetime:
    """Return until when Oscar takes the voucher: the deadline that is shown, and the grace that is not (CD-2)."""
    return coupon.valid_until + app_settings.grace if coupon.valid_until is not None else FAR_FUTURE


def _condition_of(campaign: Campaign) -> dict[str, Any]:
    """Return the columns of the condition: which baskets the campaign's offers are for. Dates are on the vouchers."""
    if campaign.status == Campaign.Status.RUNNING:
        # "At least 0 products" is true for every basket with something in it and, unlike 1, takes no product away from
        # the shop's other offers (Oscar lets a product serve one exclusive offer only).
        return {"type": Condition.COUNT, "range": _all_products(), "value": 0}
    # Not a very large number: Oscar would ask the customer to buy that many.
    return {"type": Condition.COUNT, "range": _no_products(), "value": 1}


def _slug_of(campaign: Campaign) -> str:
    # Names are for people and may be edited in the dashboard; the slug stays and finds the offer again.
    return f"thankyou-campaign-{campaign.pk}"


def _promise_of(campaign: Campaign) -> Promise:
    if campaign.benefit == Campaign.Benefit.FREE_SHIPPING:
        return Promise(Benefit.SHIPPING_PERCENTAGE, Decimal(100), SHIPPING_PRIORITY)
    if campaign.benefit == Campaign.Benefit.PERCENT:
        assert campaign.percent is not None  # a constraint of its table
        return Promise(Benefit.PERCENTAGE, campaign.percent)
    amount: Money = campaign.amount
    if str(amount.currency) != settings.OSCAR_DEFAULT_CURRENCY:
        raise ImproperlyConfigured(
            f"The campaign {campaign.pk} is worth {amount}, but OSCAR_DEFAULT_CURRENCY is "
            f"{settings.OSCAR_DEFAULT_CURRENCY!r}. Change the currency of the campaign's amount."
        )
    return Promise(Benefit.FIXED, amount.amount)


def _offer_for(coupon: Coupon, promise: Promise, *, single_use: bool) -> Any:
    """Return the offer behind the coupon's voucher, made or brought up to date."""
    campaign = coupon.campaign
    slug = _slug_of(campaign) if single_use else f"{_slug_of(campaign)}-coupon-{coupon.pk}"
    offer = _find_offer(slug)
    if offer is None:
        try:
            with transaction.atomic():
                return _make_offer(coupon, promise, slug=slug, single_use=single_use)
        except IntegrityError:
            # Somebody else made it in the same moment, or another one with this name.
            offer = _find_offer(slug) or _make_offer(coupon, promise, slug=slug, single_use=single_use)
    condition = _condition_of(campaign)
    if (offer.condition.range_id, offer.condition.value) != (condition["range"].pk, condition["value"]):
        Condition.objects.filter(pk=offer.condition_id).update(**condition)
    benefit = offer.benefit
    if (benefit.type, benefit.value) != (promise.type, promise.value):
        benefit.type, benefit.value = promise.type, promise.value
        benefit.range = None if promise.type == Benefit.SHIPPING_PERCENTAGE else _all_products()
        benefit.save()
    return offer


def _find_offer(slug: str) -> Any:
    return ConditionalOffer.objects.select_related("benefit", "condition").filter(slug=slug).first()


def _make_offer(coupon: Coupon, promise: Promise, *, slug: str, single_use: bool) -> Any:
    condition = Condition.objects.create(**_condition_of(coupon.campaign))
    benefit = Benefit.objects.create(
        type=promise.type,
        value=promise.value,
        range=None if promise.type == Benefit.SHIPPING_PERCENTAGE else _all_products(),
    )
    with translation.override(settings.LANGUAGE_CODE):
        # The customer reads it in the basket and on the order.
        name = coupon.campaign.headline[:80]
    if ConditionalOffer.objects.filter(name=name).exists():
        name = f"{name} ({slug.removeprefix('thankyou-')})"
    return ConditionalOffer.objects.create(
        slug=slug,
        name=name,
        offer_type=ConditionalOffer.VOUCHER,
        condition=condition,
        benefit=benefit,
        priority=promise.priority,
        # Once an order, or an amount would be taken off again and again.
        max_basket_applications=1,
        max_global_applications=None if single_use else coupon.usage_limit,
    )


def _all_products() -> Any:
    return Range.objects.get_or_create(
        slug="thankyou-all-products",
        defaults={"name": "All products (thank-you offers)", "includes_all_products": True},
    )[0]


def _no_products() -> Any:
    return Range.objects.get_or_create(
        slug="thankyou-no-products", defaults={"name": "No products (paused thank-you offers)"}
    )[0]
