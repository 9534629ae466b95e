"""What a basket costs with coupons. Reading only: a quote takes no use and promises none."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from django.db.models import Case, Count, Exists, IntegerField, OuterRef, Q, Subquery, Value, When
from django.db.models.functions import Coalesce

from . import arithmetic
from . import codes as coupon_codes
from .arithmetic import Quote, Refusal
from .conf import app_settings
from .exceptions import (
    BasketNotEnough,
    CouponError,
    CouponLocked,
    CouponNotForBasket,
    CouponOver,
    CouponUsedUp,
    InvalidCode,
    TypingError,
)
from .facts import BasketFacts
from .holders import is_bound, is_foreign
from .models import Campaign, Coupon, CouponQuerySet, Redemption, UsageCounter
from .moments import moment
from .money import money_text

#: Reasons that tell something of the customer whom the facts name: whether they have an account here, and an order.
ABOUT_CUSTOMER: Final = frozenset({"foreign", "customer_limit", "not_first_order", "not_returning"})
#: The error for the proven holder, by the reason; every other reason means that the coupon's time is over.
_EXPLAINED: Final[Mapping[str, type[CouponError]]] = {
    "used_up": CouponUsedUp,
    "total_limit": CouponUsedUp,
    "locked": CouponLocked,
    **dict.fromkeys(BasketNotEnough.texts, BasketNotEnough),
    "no_matching_product": BasketNotEnough,
    **dict.fromkeys(CouponNotForBasket.texts, CouponNotForBasket),
}


@dataclass(frozen=True, kw_only=True, slots=True)
class Asking:
    """Somebody who has typed a code: the keys that are theirs, and one that they only say is theirs."""

    holder_keys: Collection[str] = ()
    claimed_key: str = ""

    def holds(self, coupon: Coupon) -> bool:
        """Whether the coupon was given to them."""
        return bool(coupon.holder_key) and coupon.holder_key in self.holder_keys

    def is_kept(self, coupon: Coupon, facts: BasketFacts) -> bool:
        """Whether the coupon is kept for a holder of whom nobody knows whether it is them."""
        holder = coupon.holder_key
        known = {facts.customer_key, facts.account_key, self.claimed_key}
        return coupon.campaign.personal and is_bound(holder) and holder not in known

    def may_hear(self, reason: str, facts: BasketFacts) -> bool:
        """Whether this reason tells them nothing of anybody else."""
        return reason not in ABOUT_CUSTOMER or not facts.customer_key or facts.customer_key in self.holder_keys


def asks_who(codes: Sequence[str]) -> bool:
    """Return whether one of these coupons depends on who orders. One query, none for no codes."""
    if not codes:
        return False
    texts, _refusals = _normalised(codes)
    found = Coupon.objects.filter(code__in=list(texts)).select_related("campaign")
    return any(
        coupon.campaign.conditions.asks_who or (coupon.campaign.personal and is_bound(coupon.holder_key))
        for coupon in found
    )


def quote(
    *,
    codes: Sequence[str],
    facts: BasketFacts,
    now: datetime | None = None,
    order_ref: str = "",
    proven: Collection[str] = (),
    final: bool = False,
) -> Quote:
    """Return the basket with these codes applied; wrong codes become ``refusals`` and nothing is raised. At most one
    query.

    A code that cannot be one is refused with a ``TypingError`` and no query; every other wrong one with the same
    ``InvalidCode`` (CO-6), except for codes in ``proven``: these are stored forms whose holder has shown that they
    are theirs, and they get the error of ``explain``. ``order_ref`` names an order that was already tried: what it has
    reserved does not count against it (CO-2). Two coupons of one campaign, or a second one beside a coupon that is not
    combinable, are refused; the one that was typed first stays. A coupon that fits and takes nothing off, such as
    free shipping before the address is known, is accepted with a discount of zero. With ``final`` what the shop does
    not know counts against a coupon, as it does for ``reserve_all`` (CO-10).
    """
    return quote_for(None, codes=codes, facts=facts, now=now, order_ref=order_ref, proven=proven, final=final)


def quote_for(
    asking: Asking | None,
    *,
    codes: Sequence[str],
    facts: BasketFacts,
    now: datetime | None = None,
    order_ref: str = "",
    proven: Collection[str] = (),
    final: bool = False,
) -> Quote:
    """Return a ``quote`` as it is told to somebody who has typed a code; ``None`` for the shop itself.

    A coupon that is held by one of the visitor's own keys is proven. A personal one of a customer or an account is
    refused unless it is proven, or the facts or the claim name its holder; and what speaks against the customer whom
    the facts name is told only if that is the visitor (CO-6).
    """
    now = moment(now)
    texts, refusals = _normalised(codes)
    coupons = _fetch(list(texts), facts, now=now, order_ref=order_ref) if texts else {}
    accepted: list[Coupon] = []
    for code, text in texts.items():
        coupon = coupons.get(code)
        is_proven = code in proven or (coupon is not None and asking is not None and asking.holds(coupon))
        reason = _refused(coupon, facts, now=now, final=final) or clash(coupon, accepted)
        if coupon is not None and asking is not None and not is_proven and asking.is_kept(coupon, facts):
            # Before whatever an empty basket may make good, or the code would be kept for it.
            reason = "foreign"
        if coupon is not None and not reason:
            accepted.append(coupon)
        elif coupon is not None and is_proven and (asking is None or asking.may_hear(reason, facts)):
            refusals.append(Refusal(text=text, error=_explained(reason, coupon, facts, now=now)))
        else:
            refusals.append(Refusal(text=text, error=InvalidCode(reason=reason)))
    return arithmetic.apply(benefits=[coupon.as_benefit() for coupon in accepted], facts=facts, refusals=refusals)


def explain(*, coupon: Coupon, facts: BasketFacts | None = None, now: datetime | None = None) -> CouponError | None:
    """Return why a coupon would be refused now, or ``None``. **Only for its proven holder**: it tells what CO-6
    hides.

    With ``facts`` the basket's reasons are told too. One query, and only where a limit has to be counted; none at all
    for a coupon that was read through ``with_uses``.
    """
    now = moment(now)
    if not hasattr(coupon, "own") and _is_counted(coupon):
        key = "" if facts is None else facts.customer_key
        fresh = with_uses(Coupon.objects.filter(pk=coupon.pk), now=now, customer_key=key)
        coupon = fresh.select_related("campaign").first() or coupon
    reason = why_not(coupon, facts, now=now, free=getattr(coupon, "returning", False))
    return _explained(reason, coupon, facts, now=now) if reason else None


def why_not(
    coupon: Coupon | None, facts: BasketFacts | None, *, now: datetime, free: bool = False, final: bool = False
) -> str:
    """Return the reason against a coupon in one word, or an empty text.

    ``free``: a use is known to be coming back. ``final``: see ``unfit``. The limits of the whole campaign and of each
    customer are known only for a coupon that was read through ``with_uses``.
    """
    if coupon is None:
        return "unknown"
    if coupon.state != Coupon.State.AVAILABLE:
        return coupon.state
    if not coupon.campaign.is_running(now, grace=app_settings.grace):
        return "campaign_not_running"
    if coupon.ends_at is not None and coupon.ends_at <= now - app_settings.grace:
        return "over"
    if coupon.is_used_up() and not free:
        return "used_up"
    if _is_reached(coupon.campaign.total_limit, coupon, "total_used"):
        return "total_limit"
    if facts is None:
        return ""
    if reason := unfit(coupon, facts, final=final):
        return reason
    return "customer_limit" if _is_reached(coupon.campaign.limit_per_customer, coupon, "customer_used") else ""


def unfit(coupon: Coupon, facts: BasketFacts, *, final: bool = False) -> str:
    """Return the reason for which a coupon does not go with this basket, or an empty text; nothing here can change
    with time. With ``final`` what the shop does not know is a reason too (see ``Conditions.why_not``).
    """
    campaign = coupon.campaign
    if campaign.personal and is_foreign(
        holder_key=coupon.holder_key,
        customer_key=facts.customer_key,
        account_key=facts.account_key,
        final=final,
    ):
        return "foreign"
    if campaign.benefit == Campaign.Benefit.AMOUNT and (
        campaign.amount is None or campaign.amount.currency.code != facts.currency
    ):
        return "currency"
    if reason := campaign.conditions.why_not(facts, final=final):
        return reason
    if campaign.benefit == Campaign.Benefit.FREE_PRODUCT and not any(
        line.product_ref == campaign.free_product_ref and line.quantity for line in facts.lines
    ):
        return "free_product_missing"
    return ""


def clash(coupon: Coupon | None, others: Iterable[Coupon]) -> str:
    """Return the reason for which a coupon cannot join these others on one order, or an empty text: ``same_campaign``
    or ``not_combinable``.
    """
    others = list(others)
    if coupon is None or not others:
        return ""
    if any(other.campaign_id == coupon.campaign_id for other in others):
        return "same_campaign"
    return "" if all(each.campaign.combinable for each in (coupon, *others)) else "not_combinable"


def with_uses(
    coupons: CouponQuerySet, *, now: datetime | None = None, customer_key: str = "", order_ref: str = ""
) -> CouponQuerySet:
    """Return the coupons with what ``why_not`` has to know of their uses, in the same query.

    ``returning``: one of the coupon's taken uses has run out. ``own``: this order holds it already. ``total_used`` and
    ``customer_used``: uses under the campaign's limits, without those that have run out or that this order has
    reserved, because they come back before anybody is refused.
    """
    now = moment(now)
    uses = Redemption.objects.filter(coupon=OuterRef("pk"))
    return coupons.annotate(
        returning=Exists(uses.run_out(now=now)),
        own=Exists(uses.live().filter(order_ref=order_ref)) if order_ref else Value(False),
        total_used=_used("", "campaign__total_limit", {"counts_total": True}, now=now, order_ref=order_ref),
        customer_used=_used(
            customer_key,
            "campaign__limit_per_customer",
            {"counts_customer": True, "customer_key": customer_key},
            now=now,
            order_ref=order_ref,
        )
        if customer_key
        else Value(0),
    )


def _used(counter: str, limit: str, counted: Mapping[str, Any], *, now: datetime, order_ref: str) -> Case:
    """Return an expression for the uses under a limit of the coupon's campaign; 0 where there is no such limit."""
    comes_back = Q(expires_at__lte=now)
    if order_ref:
        comes_back |= Q(order_ref=order_ref)
    rows = Redemption.objects.reserved().filter(comes_back, coupon__campaign=OuterRef("campaign_id"), **counted)
    taken = UsageCounter.objects.filter(campaign=OuterRef("campaign_id"), customer_key=counter).values("used")[:1]
    back = rows.order_by().values("coupon__campaign").annotate(count=Count("pk")).values("count")
    used = Coalesce(Subquery(taken), 0) - Coalesce(Subquery(back), 0)
    return Case(When(**{f"{limit}__isnull": False}, then=used), default=Value(0), output_field=IntegerField())


def _is_counted(coupon: Coupon) -> bool:
    """Whether the answer for this coupon depends on rows of others."""
    campaign = coupon.campaign
    return coupon.is_used_up() or campaign.total_limit is not None or campaign.limit_per_customer is not None


def _is_reached(limit: int | None, coupon: Coupon, counter: str) -> bool:
    return limit is not None and getattr(coupon, counter, 0) >= limit


def _explained(reason: str, coupon: Coupon, facts: BasketFacts | None, *, now: datetime) -> CouponError:
    """Return the error that tells the proven holder this reason."""
    error = _EXPLAINED.get(reason, CouponOver)
    if reason == "minimum_spend" and facts is not None and coupon.campaign.minimum_spend is not None:
        minimum = coupon.campaign.minimum_spend
        missing = minimum - coupon.campaign.conditions.spent(facts)
        return error(reason, {"minimum": money_text(minimum), "missing": money_text(missing)}, reason=reason)
    if reason == "used_up" and coupon.is_word:
        return error("total_limit", reason=reason)
    if reason == "campaign_not_running":
        return error(_pause(coupon.campaign, now), reason=reason)
    return error(reason if reason in error.texts else "", reason=reason)


def _pause(campaign: Campaign, now: datetime) -> str:
    """Return the code of ``CouponOver`` for a campaign that is not running, empty for one that will not come back."""
    if campaign.status == Campaign.Status.ENDED or (campaign.ends_at is not None and campaign.ends_at <= now):
        return ""
    if campaign.status == Campaign.Status.RUNNING and campaign.starts_at is not None and campaign.starts_at > now:
        return "not_begun"
    return "paused"


def _normalised(typed: Sequence[str]) -> tuple[dict[str, str], list[Refusal]]:
    """Return the codes in their stored form, each once, with the text it was typed as; and the refusals of the
    others.
    """
    texts: dict[str, str] = {}
    refusals = []
    for text in typed:
        try:
            texts.setdefault(coupon_codes.normalise(text), str(text))
        except TypingError as error:
            refusals.append(Refusal(text=str(text)[:40], error=error))
    return texts, refusals


def _fetch(stored: list[str], facts: BasketFacts, *, now: datetime, order_ref: str) -> dict[str, Coupon]:
    """Return the coupons of these codes by their codes, with their uses."""
    found = with_uses(
        Coupon.objects.filter(code__in=stored), now=now, customer_key=facts.customer_key, order_ref=order_ref
    )
    return {coupon.code: coupon for coupon in found.select_related("campaign")}


def _refused(coupon: Coupon | None, facts: BasketFacts, *, now: datetime, final: bool) -> str:
    """Return the reason against a coupon of ``_fetch``. What the order has reserved is its own until it is released."""
    if coupon is not None and coupon.own:  # type: ignore[attr-defined]
        return unfit(coupon, facts, final=final)
    free = coupon is not None and coupon.returning  # type: ignore[attr-defined]
    return why_not(coupon, facts, now=now, free=free, final=final)
