"""The moment before Oscar takes the money: each coupon on the basket gets its use reserved, or leaves the basket (CO-1).

By then the customer has seen a total and agreed to it. When a coupon turns out to be no good after all, that total is
wrong, and must not be charged; but the signal that Oscar sends here, ``pre_payment``, cannot stop a checkout: whatever its
receivers raise is swallowed. So the receiver gives this one view object another ``handle_payment``, which raises what
Oscar's documentation asks a payment to raise when it cannot be taken, ``UnableToTakePayment`` with a text for the
customer. Oscar then thaws the basket and shows the payment page with that text; the total on it is the one without the
coupon, and the next click pays that.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final, NoReturn

from django.utils.translation import ngettext
from oscar.apps.payment.exceptions import UnableToTakePayment
from oscar.core.loading import get_class

from coupons import redemption
from coupons.exceptions import CouponBusy, CouponError
from coupons.facts import BasketFacts
from coupons.models import Campaign, Coupon
from coupons.quoting import quote
from coupons.staging import proven, unstage

from .baskets import applied_vouchers
from .facts import read_facts, read_shipping
from .settling import Settlement, codes_on, settle

if TYPE_CHECKING:
    from django.http import HttpRequest

logger = logging.getLogger(__name__)

Applicator = get_class("offer.applicator", "Applicator")

#: In the session: which basket was last tried to be paid, and under which number.
KEY: Final = "thankyou_flows.oscar_held"
#: Reasons for which a coupon never took anything off the total that the customer has seen.
NEVER_COUNTED: Final = frozenset({"same_campaign", "not_combinable"})


def hold(view: Any) -> None:
    """Reserve what this checkout uses; take off the basket what it cannot use, and stop the payment if that changes the
    total (CO-1, CO-2).
    """
    request, basket = view.request, view.request.basket
    number = str(view.checkout_session.get_order_number())
    _leave_earlier_number(request, basket, number)
    vouchers = codes_on(basket)
    ours = set(Coupon.objects.filter(code__in=vouchers).values_list("code", flat=True)) if vouchers else set()
    vouchers = {code: voucher for code, voucher in vouchers.items() if code in ours}
    if not vouchers:
        _forget(request, basket, number)
        return
    request.session[KEY] = [basket.pk, number]
    settlement = settle(basket, voucher=next(iter(vouchers.values())))
    shipping = read_shipping(basket, request, address=view.get_shipping_address(basket))
    facts = read_facts(basket, request=request, shipping=shipping)
    useful = _useful(settlement, basket, vouchers, facts)
    try:
        held = _reserve(useful, number, facts)
    except CouponBusy as error:
        _stop(view, error.message)
        return
    gone = [code for code in vouchers if code not in held]
    if not gone:
        return
    # The customer may have seen a total with these.
    counted = [code for code in gone if code in useful or _was_refused(code, settlement)]
    if counted:
        # First of all: whatever fails below, the wrong total is not charged.
        _stop(view, _tell(counted, settlement, facts, request, number))
    basket.vouchers.remove(*(vouchers[code] for code in gone))
    for code in gone:
        unstage(request.session, code)
    if counted:
        basket.reset_offer_applications()
        Applicator().apply(basket, request.user, request)


def let_go(*, request: HttpRequest, basket: Any) -> None:
    """Give back what an earlier try of this basket holds, because a coupon was taken off it. No query if none was."""
    held = request.session.get(KEY)
    if isinstance(held, list) and held[:1] == [basket.pk]:
        redemption.release(order_ref=str(held[1]), actor="customer")
        del request.session[KEY]


def _leave_earlier_number(request: HttpRequest, basket: Any, number: str) -> None:
    """Give back what the same basket holds under another number: a shop may make a new one for each try."""
    held = request.session.get(KEY)
    if isinstance(held, list) and held[:1] == [basket.pk] and held[1] != number:
        redemption.release(order_ref=str(held[1]))
        del request.session[KEY]


def _forget(request: HttpRequest, basket: Any, number: str) -> None:
    """No coupon is left on the basket; an earlier try may still hold one."""
    if request.session.get(KEY) == [basket.pk, number]:
        redemption.release(order_ref=number)
        del request.session[KEY]


def _useful(settlement: Settlement, basket: Any, vouchers: Mapping[str, Any], facts: BasketFacts) -> list[str]:
    """Return our codes that take something off this order. One that is good, but saves nothing, would be wasted."""
    applied = {voucher.pk for voucher in applied_vouchers(basket)}
    ships_for_nothing = not facts.shipping.amount
    return [
        code
        for code, voucher in vouchers.items()
        if voucher.pk in applied
        and settlement.of(voucher) is not None
        and not (ships_for_nothing and settlement.gives(voucher, Campaign.Benefit.FREE_SHIPPING))
    ]


def _reserve(codes: list[str], number: str, facts: BasketFacts) -> list[str]:
    """Reserve all coupons, or those that can be had, and return their codes. Raises ``CouponBusy``."""
    held: list[str] = []
    # Together, as nearly always; one after the other to find out which one is no good.
    for wanted in (codes, *([code] for code in codes)):
        try:
            redemption.reserve_all(codes=[*held, *wanted], order_ref=number, facts=facts)
        except CouponBusy:
            raise
        except CouponError:
            continue
        held += wanted
        if len(held) == len(codes):
            break
    return held


def _was_refused(code: str, settlement: Settlement) -> bool:
    """Tell whether a coupon is no good any more. One that stands back behind another on the basket still is."""
    refusal = settlement.refusals.get(code)
    return refusal is not None and refusal.error.reason not in NEVER_COUNTED


def _tell(codes: list[str], settlement: Settlement, facts: BasketFacts, request: HttpRequest, number: str) -> str:
    """Return what to tell the customer. The true reason only for whom the coupon is known to be (CO-6), and no code:
    Oscar writes the text into its log.
    """
    known = [code for code in codes if code in proven(request.session)]
    refusals = quote(codes=known, facts=facts, order_ref=number, proven=known).refusals if known else ()
    text = ngettext(
        "Your coupon (%(benefits)s) can no longer be used for this order, so we have taken it off. Nothing has been "
        "charged. Please check the new total and place your order again.",
        "Your coupons (%(benefits)s) can no longer be used for this order, so we have taken them off. Nothing has been "
        "charged. Please check the new total and place your order again.",
        len(codes),
    ) % {"benefits": ", ".join(settlement.coupons[code].campaign.headline for code in codes)}
    return " ".join([*(refusal.message for refusal in refusals), text])


def _stop(view: Any, text: str) -> None:
    """Let this one try end as a payment that could not be taken."""

    def refuse(*args: Any, **kwargs: Any) -> NoReturn:
        raise UnableToTakePayment(text)

    view.handle_payment = refuse
    logger.info("A payment was not started: a coupon on the basket can no longer be used.")
