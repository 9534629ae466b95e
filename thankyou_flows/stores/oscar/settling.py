"""Which of our coupons an Oscar basket gets, and what they take off: one quote for all of them together.

Oscar asks every offer by itself, in the order of priorities. Our coupons know of each other (one of a campaign, some not
to be combined, percentages before amounts), so the first offer that is asked has the whole basket quoted, and the others
read their share. The answer stays with the basket object as long as nothing has changed on it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from oscar.core.loading import get_model

from coupons.arithmetic import CouponDiscount, Refusal
from coupons.codes import normalise
from coupons.exceptions import InvalidCode
from coupons.models import Campaign, Coupon
from coupons.quoting import quote

from .facts import Needs, order_ref_of, read_facts, read_rests, request_of

Voucher = get_model("voucher", "Voucher")

#: Where the answer is kept: Oscar's basket is the only object that all its offers see.
MEMORY: Final = "_thankyou_settlement"


@dataclass(frozen=True, slots=True)
class Settlement:
    """The answer for one basket, by the codes as we store them."""

    #: What the basket looked like.
    state: tuple[object, ...] = ()
    #: Our codes on the basket, the one that was put on it first, first.
    codes: tuple[str, ...] = ()
    coupons: Mapping[str, Coupon] = field(default_factory=dict)
    #: What each coupon takes off; only those that take off something.
    discounts: Mapping[str, CouponDiscount] = field(default_factory=dict)
    refusals: Mapping[str, Refusal] = field(default_factory=dict)

    def of(self, voucher: Any) -> CouponDiscount | None:
        """Return what the coupon of this voucher takes off, or ``None`` if it is of no use."""
        code = stored_code(voucher.code) if voucher is not None else ""
        return self.discounts.get(code)

    def gives(self, voucher: Any, benefit: str) -> bool:
        """Tell whether the coupon of this voucher is good for this kind of benefit."""
        discount = self.of(voucher)
        return discount is not None and self.coupons[discount.code].campaign.benefit == benefit


def settle(basket: Any, *, voucher: Any) -> Settlement:
    """Return the answer for the basket that this voucher is on. Three queries, more only for what campaigns ask."""
    state = _state_of(basket)
    known: Settlement | None = getattr(basket, MEMORY, None)
    if known is None or known.state != state or stored_code(voucher.code) not in known.codes:
        known = _settle(basket, state)
        setattr(basket, MEMORY, known)
    return known


def stored_code(voucher_code: str) -> str:
    """Return the form in which we would store this voucher's code; empty if it cannot be one of ours. No query."""
    try:
        return normalise(voucher_code)
    except InvalidCode:
        return ""


def codes_on(basket: Any) -> dict[str, Any]:
    """Return the vouchers on a basket that may be ours by our codes, in the order in which they were put on it.

    One query. Oscar itself would name the newest voucher first.
    """
    if basket.id is None:
        return {}
    through = basket.vouchers.through
    added = dict(through.objects.filter(basket_id=basket.id).values_list("voucher_id", "pk"))
    vouchers = sorted(Voucher.objects.filter(pk__in=added), key=lambda each: added[each.pk]) if added else []
    return {code: each for each in vouchers if (code := stored_code(each.code))}


def _settle(basket: Any, state: tuple[object, ...]) -> Settlement:
    codes = list(codes_on(basket))
    found = {each.code: each for each in Coupon.objects.filter(code__in=codes).select_related("campaign")}
    codes = [code for code in codes if code in found]
    request = request_of(basket)
    facts = read_facts(basket, request=request, needs=Needs.of(each.campaign for each in found.values()))
    answer = quote(codes=codes, facts=facts, order_ref=order_ref_of(request))
    discounts, ships_free = {}, False
    for discount in sorted(answer.discounts, key=lambda each: codes.index(each.code)):
        if found[discount.code].campaign.benefit == Campaign.Benefit.FREE_SHIPPING:
            # Oscar honours one shipping offer an order; a second coupon would be used up in vain.
            if not ships_free:
                discounts[discount.code] = discount
            ships_free = True
        elif discount.goods.amount:
            discounts[discount.code] = discount
    return Settlement(
        state=state,
        codes=tuple(codes),
        coupons=found,
        discounts=discounts,
        refusals={stored_code(refusal.text): refusal for refusal in answer.refusals},
    )


def _state_of(basket: Any) -> tuple[object, ...]:
    """Return what the answer depends on and the basket can tell without a query."""
    return tuple((rest.line.pk, rest.line.quantity, rest.amount, rest.discountable) for rest in read_rests(basket))
