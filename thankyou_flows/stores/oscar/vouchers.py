"""Our coupons as Oscar vouchers, so that Oscar's own forms and checkout honour them.

One voucher a coupon (or public word), linked to one offer a campaign. A shop owner sees both in Oscar's dashboard, may
rename the offer and give it another priority; what a campaign promises is changed in the campaign.

**Why the condition and the benefit are custom ones.** Oscar's own types can say "15% off these products". They cannot
say what makes a coupon one: that it is somebody's, locked, revoked, reserved by another checkout, the last use of a
campaign or of a customer, not to be combined, for first orders or for some countries. Nor do they count alike: Oscar
rounds a percentage down over the whole basket, and spreads an amount by another rule, so that the lines may differ from
the discount by a cent (CO-4). Rows of both kinds would have to be kept in step whenever a campaign changes. So every
offer asks ``proxies``, they ask ``coupons``, and there is one truth. The price: before this package is uninstalled, its
offers have to be deleted (``unpublish``; see the how-to).

**Why every voucher is "multi-use".** Our own engine counts: it reserves the use before the payment. Oscar's single use
would be decided after it, and refuse an order that is paid (CO-2); and no cancelled order could give it back.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from datetime import UTC, datetime, timedelta
from itertools import islice
from typing import Any, Final, TypeVar

from django.conf import settings
from django.db import IntegrityError, transaction
from django.db.models import QuerySet
from django.utils import timezone, translation
from oscar.core.loading import get_model

from coupons.conf import app_settings
from coupons.models import Campaign, Coupon

from .facts import SLUG
from .settling import stored_code

T = TypeVar("T")

Voucher = get_model("voucher", "Voucher")
ConditionalOffer = get_model("offer", "ConditionalOffer")
Condition = get_model("offer", "Condition")
Benefit = get_model("offer", "Benefit")

#: Oscar's vouchers must end some day. A coupon without a deadline ends then.
FAR_FUTURE: Final = datetime(2999, 12, 31, tzinfo=UTC)
#: Oscar honours one shipping offer an order, the first by priority. Nothing beats "free".
SHIPPING_PRIORITY: Final = 1000
#: How many vouchers one statement names.
CHUNK: Final = 500

PROXIES: Final = "thankyou_flows.stores.oscar.proxies"
CONDITION: Final = f"{PROXIES}.CouponCondition"
GOODS: Final = f"{PROXIES}.GoodsBenefit"
SHIPPING: Final = f"{PROXIES}.ShippingBenefit"


class CodeTaken(Exception):
    """The shop has a voucher of its own with this code; it is left alone."""


def publish(*, coupon: Coupon, code: str) -> None:
    """Make or update the voucher of this coupon: code, start and end. Safe to repeat, also at the same time.

    A coupon that is not available (locked, revoked) is withdrawn instead. Raises ``CodeTaken`` if the shop has a voucher
    of its own with this code. One query if nothing has changed.
    """
    code = code.upper()
    if coupon.state != Coupon.State.AVAILABLE:
        withdraw(code=code)
        return
    columns = _columns(coupon)
    slug = slug_of(coupon.campaign)
    if Voucher.objects.filter(code=code, offers__slug=slug, **columns).exists():
        return
    with transaction.atomic():
        offer = offer_for(coupon.campaign)
        voucher, created = Voucher.objects.get_or_create(
            code=code, defaults={"name": _name(coupon.campaign, code), **columns}
        )
        if created:
            voucher.offers.set([offer])
            return
        if not _is_of_ours(voucher):
            raise CodeTaken(code)
        Voucher.objects.filter(pk=voucher.pk).update(**columns)
        if not voucher.offers.filter(pk=offer.pk).exists():
            voucher.offers.set([offer])


def publish_many(*, coupons: Iterable[Coupon], voucher_code: Callable[..., str]) -> int:
    """Make vouchers of many coupons, a thousand at a time, and return how many are new. Safe to repeat.

    What is there already is left as it is. Coupons that are not available are passed over.
    """
    made = 0
    for chunk in _chunks(coupons, 1000):
        codes = {
            voucher_code(coupon=coupon).upper(): coupon for coupon in chunk if coupon.state == Coupon.State.AVAILABLE
        }
        known = set(Voucher.objects.filter(code__in=codes).values_list("code", flat=True))
        fresh = {code: coupon for code, coupon in codes.items() if code not in known}
        if fresh:
            made += _insert(fresh)
    return made


def withdraw(*, code: str) -> None:
    """Let the voucher end now, if there is one of ours and it has not ended already."""
    now = timezone.now()
    ours = Voucher.objects.filter(code=code.upper(), end_datetime__gte=now, offers__slug__startswith=SLUG)
    # Oscar includes the last instant. Not in one statement: databases do not update what they join.
    Voucher.objects.filter(pk__in=list(ours.values_list("pk", flat=True))).update(end_datetime=_before(now))


def withdraw_word(*, coupon: Coupon) -> None:
    """Let the vouchers of a public word end that is gone, however its campaign spelt it."""
    now = timezone.now()
    ours = Voucher.objects.filter(offers__slug=slug_of(coupon.campaign), end_datetime__gte=now)
    # Words have no dashes; a campaign may have thousands of codes that have.
    codes = ours.exclude(code__contains="-").values_list("pk", "code")
    outdated = [pk for pk, code in codes.iterator() if stored_code(code) == coupon.code]
    Voucher.objects.filter(pk__in=outdated).update(end_datetime=_before(now))


def follow_campaign(*, campaign: Campaign, voucher_code: Callable[..., str]) -> None:
    """Bring the vouchers of this campaign up to date after it was saved: its end, its word, its state in the dashboard.

    What it promises needs no update: the offer asks the campaign.
    """
    word = _word_of(campaign)
    if word is not None:
        publish(coupon=word, code=voucher_code(coupon=word))
    offer = ConditionalOffer.objects.filter(slug=slug_of(campaign)).first()
    if offer is None:
        return
    if word is not None and not campaign.coupons.filter(is_word=False).exists():
        outdated = Voucher.objects.filter(offers=offer, end_datetime__gte=timezone.now())
        outdated = outdated.exclude(code=voucher_code(coupon=word).upper())
        _let_end(outdated, _before(timezone.now()))
    old, new = _end(offer.end_datetime), _end(campaign.ends_at)
    status = ConditionalOffer.OPEN if campaign.status == Campaign.Status.RUNNING else ConditionalOffer.SUSPENDED
    if old != new:
        # Vouchers that were taken back have another end, and keep it.
        _let_end(Voucher.objects.filter(offers=offer, end_datetime=old), new)
        _follow_personal_ends(campaign, voucher_code)
    ConditionalOffer.objects.filter(pk=offer.pk).update(
        status=status, start_datetime=campaign.starts_at, end_datetime=campaign.ends_at
    )


def unpublish() -> int:
    """Delete every offer of ours with its vouchers, so that Oscar does without this package; return how many offers.

    Vouchers that an order has used stay, for the order's sake, and are good for nothing.
    """
    offers = ConditionalOffer.objects.filter(slug__startswith=SLUG)
    count = offers.count()
    with transaction.atomic():
        vouchers = Voucher.objects.filter(offers__in=offers)
        Voucher.objects.filter(pk__in=list(vouchers.filter(applications=None).values_list("pk", flat=True))).delete()
        _let_end(vouchers.filter(end_datetime__gte=timezone.now()), _before(timezone.now()))
        offers.delete()
        Condition.objects.filter(proxy_class=CONDITION).delete()
        Benefit.objects.filter(proxy_class__in=[GOODS, SHIPPING]).delete()
    return count


def slug_of(campaign: Campaign) -> str:
    """Return how the campaign's offer is found again, whatever it is called."""
    return f"{SLUG}{campaign.pk}"


def offer_for(campaign: Campaign) -> Any:
    """Return the campaign's offer, made or put right."""
    offer = _find_offer(campaign)
    if offer is None:
        try:
            with transaction.atomic():
                return _make_offer(campaign)
        except IntegrityError:
            # Somebody else made it in the same moment, or another one with this name.
            offer = _find_offer(campaign) or _make_offer(campaign)
    # The dashboard lets an owner choose other ones, or share them.
    if offer.condition.proxy_class != CONDITION:
        offer.condition = Condition.objects.create(proxy_class=CONDITION)
        offer.save(update_fields=["condition", "status"])
    if offer.benefit.proxy_class != _benefit_of(campaign):
        offer.benefit = Benefit.objects.create(proxy_class=_benefit_of(campaign))
        offer.save(update_fields=["benefit", "status"])
    return offer


def _find_offer(campaign: Campaign) -> Any:
    return ConditionalOffer.objects.select_related("benefit", "condition").filter(slug=slug_of(campaign)).first()


def _make_offer(campaign: Campaign) -> Any:
    slug, ships_free = slug_of(campaign), campaign.benefit == Campaign.Benefit.FREE_SHIPPING
    with translation.override(settings.LANGUAGE_CODE):
        # The customer reads it in the basket and on the order.
        name = campaign.headline[:80]
    if ConditionalOffer.objects.filter(name=name).exists():
        name = f"{name} ({slug.removeprefix('thankyou-')})"
    return ConditionalOffer.objects.create(
        slug=slug,
        name=name,
        offer_type=ConditionalOffer.VOUCHER,
        condition=Condition.objects.create(proxy_class=CONDITION),
        benefit=Benefit.objects.create(proxy_class=_benefit_of(campaign)),
        priority=SHIPPING_PRIORITY if ships_free else 0,
        # Coupons may share their goods with each other; which ones, our own engine decides.
        exclusive=False,
        max_basket_applications=1,
        start_datetime=campaign.starts_at,
        end_datetime=campaign.ends_at,
    )


def _benefit_of(campaign: Campaign) -> str:
    return SHIPPING if campaign.benefit == Campaign.Benefit.FREE_SHIPPING else GOODS


def _columns(coupon: Coupon) -> dict[str, Any]:
    starts_at = coupon.campaign.starts_at
    return {
        "usage": Voucher.MULTI_USE,
        "start_datetime": coupon.issued_at if starts_at is None else max(starts_at, coupon.issued_at),
        "end_datetime": _end(coupon.valid_until),
    }


def _end(end: datetime | None) -> datetime:
    """Return until when Oscar takes the voucher: the deadline that is shown, and the grace that is not (CD-2)."""
    return end + app_settings.grace if end is not None else FAR_FUTURE


def _before(now: datetime) -> datetime:
    return now - timedelta(microseconds=1)


def _name(campaign: Campaign, code: str) -> str:
    with translation.override(settings.LANGUAGE_CODE):
        return f"{campaign.headline} · {code}"[-128:]


def _is_of_ours(voucher: Any) -> bool:
    """Tell whether the voucher is one that we made, and not the shop's own."""
    return bool(voucher.offers.filter(slug__startswith=SLUG).exists())


def _word_of(campaign: Campaign) -> Coupon | None:
    if campaign.code_type != Campaign.CodeType.WORD:
        return None
    word = Coupon.objects.filter(campaign=campaign, is_word=True).first()
    if word is not None:
        word.campaign = campaign
    return word


def _let_end(vouchers: QuerySet[Any], end: datetime) -> None:
    """Give these vouchers another end, some at a time: databases do not update what they join."""
    keys = list(vouchers.values_list("pk", flat=True))
    for chunk in _chunks(keys, CHUNK):
        Voucher.objects.filter(pk__in=chunk).update(end_datetime=end)


def _follow_personal_ends(campaign: Campaign, voucher_code: Callable[..., str]) -> None:
    """Give the vouchers of coupons with a deadline of their own the earlier one of the two."""
    alive = campaign.coupons.available().filter(ends_at__gt=timezone.now() - app_settings.grace)
    for coupon in alive.iterator():
        coupon.campaign = campaign
        end = _end(coupon.valid_until)
        vouchers = Voucher.objects.filter(code=voucher_code(coupon=coupon).upper())
        vouchers.exclude(end_datetime=end).update(end_datetime=end)


def _insert(coupons: dict[str, Coupon]) -> int:
    """Make the vouchers of these coupons by their codes, which are free, and return how many."""
    campaigns = {coupon.campaign_id: coupon.campaign for coupon in coupons.values()}
    offers = {key: offer_for(campaign) for key, campaign in campaigns.items()}
    names = {key: _name(campaign, "") for key, campaign in campaigns.items()}
    rows = [
        Voucher(code=code, name=f"{names[coupon.campaign_id]}{code}"[-128:], **_columns(coupon))
        for code, coupon in coupons.items()
    ]
    with transaction.atomic():
        # Somebody may publish one of them at the same moment.
        Voucher.objects.bulk_create(rows, ignore_conflicts=True)
        keys = dict(Voucher.objects.filter(code__in=coupons).values_list("code", "pk"))
        through = Voucher.offers.through
        through.objects.bulk_create(
            (
                through(voucher_id=keys[code], conditionaloffer_id=offers[coupon.campaign_id].pk)
                for code, coupon in coupons.items()
                if code in keys
            ),
            ignore_conflicts=True,
        )
    return len(keys)


def _chunks(items: Iterable[T], size: int) -> Iterator[list[T]]:
    iterator = iter(items)
    while chunk := list(islice(iterator, size)):
        yield chunk
