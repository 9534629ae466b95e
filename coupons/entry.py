"""The one door for codes that are typed, or brought by a link: limits, then the database, then the session (CO-6,
CO-7).
"""

from __future__ import annotations

from collections.abc import Iterator, MutableMapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from django.conf import settings
from djmoney.money import Money

from . import codes
from .arithmetic import CouponDiscount, Quote
from .exceptions import ChangesNothing, CouponError, InvalidCode
from .facts import BasketFacts
from .guessing import Attempt, Visitor, attempt
from .quoting import ABOUT_CUSTOMER, Asking, asks_who, quote, quote_for
from .staging import begin, proven, stage, staged

__all__ = ["Attempt", "Entry", "Overview", "StagedCoupon", "Visitor", "enter", "overview", "placing"]

#: What speaks against an empty basket and may be different in a full one. The code is kept; the checkout decides.
WAITS_FOR_GOODS: Final = frozenset({"minimum_spend", "no_matching_product", "free_product_missing"})
#: What speaks against a basket that the shop did not tell us of.
WAITS_FOR_BASKET: Final = WAITS_FOR_GOODS | {"currency"}


@dataclass(frozen=True, kw_only=True, slots=True)
class Entry:
    """A code that was accepted and staged. ``quote`` is the basket with all staged codes, ``None`` if the basket is not
    known; ``discount`` is what this one takes off, ``None`` while nothing in the basket can tell.
    """

    code: str
    quote: Quote | None = None
    discount: CouponDiscount | None = None

    @property
    def title(self) -> str:
        """What the coupon gives, in the customer's words; empty if nothing in the basket can tell yet."""
        return self.discount.title if self.discount is not None else ""


def enter(
    *,
    text: str,
    visitor: Visitor,
    session: MutableMapping[str, Any],
    facts: BasketFacts | None,
    challenge_passed: bool = False,
    order_ref: str = "",
    claimed_key: str = "",
    now: datetime | None = None,
) -> Entry:
    """Try a code as it was typed; if it is right, stage it for the next checkout. At most one query; takes no use.

    ``facts`` is the basket, ``None`` if the shop cannot tell: then, and for an empty basket, only what does not depend
    on its goods is asked. ``order_ref`` as for ``quote``. A personal coupon of a customer is refused like any wrong code
    until somebody is known to be its holder: by the facts, by ``visitor.holder_keys``, by a proof in this session, or by
    ``claimed_key``, the customer key of an address that was typed into the checkout. Of that nothing else is asked, so
    that nobody learns who is a customer here. A wrong code leaves no trace in the session but, for a visitor who has
    none, the session itself: it is what the limits count by.

    Raises ``TooManyTries`` or ``ChallengeNeeded`` whatever was typed (CO-7); ``TypingError`` without a query and
    without counting; ``InvalidCode`` for every other wrong code, which counts as a failed try (CO-6); for a code that
    is staged already, whose holder was proven in this session, or that is held by one of the visitor's own keys, the
    true reason instead, and it does not count; ``ChangesNothing`` for a right code that would take nothing off this
    basket, and is not staged.
    """
    with attempt(visitor=visitor, challenge_passed=challenge_passed) as trying:
        code = codes.normalise(text)
        present = staged(session)
        known = {*present, *proven(session)}
        basket = facts if facts is not None else _no_basket()
        asking = Asking(holder_keys=visitor.holder_keys, claimed_key=claimed_key)
        priced = quote_for(asking, codes=[*present, code], facts=basket, now=now, order_ref=order_ref, proven=known)
        for refusal in priced.refusals:
            error = refusal.error
            if refusal.text == code and error.reason not in _may_wait_for(facts):
                if isinstance(error, InvalidCode) and (code not in known or error.reason in ABOUT_CUSTOMER):
                    trying.fail(session_key="" if visitor.session_key else begin(session))
                raise error
        discount = next((each for each in priced.discounts if each.code == code), None)
        if facts is not None and code not in present and discount is not None and _is_in_vain(discount, priced):
            raise ChangesNothing
        stage(session, code)
        if facts is None:
            return Entry(code=code)
        return Entry(code=code, quote=priced, discount=discount)


@contextmanager
def placing(
    *, codes: Sequence[str], visitor: Visitor, customer_key: str, challenge_passed: bool = False
) -> Iterator[Attempt]:
    """Guard the placing of an order with these codes: call ``fail`` of what is yielded if a coupon is refused then.

    Only now may a coupon be tried against an address that was just typed; and whoever places orders for others'
    addresses could ask in this way who is a customer. So a refusal counts like a wrong code, where one of the coupons
    depends on who orders and ``customer_key`` is none of the visitor's own keys. Raises ``TooManyTries`` or
    ``ChallengeNeeded`` before anything is looked at (CO-7); an order without such coupons is never held up. One query.
    """
    if customer_key in visitor.holder_keys or not asks_who(codes):
        yield Attempt([])
        return
    with attempt(visitor=visitor, challenge_passed=challenge_passed) as trying:
        yield trying


@dataclass(frozen=True, kw_only=True, slots=True)
class StagedCoupon:
    """A code that waits for the checkout. ``title`` is empty and ``amount`` ``None`` while it is not on the basket;
    ``error`` says why it cannot be used for it.
    """

    code: str
    title: str = ""
    amount: Money | None = None
    error: CouponError | None = None

    @property
    def display_code(self) -> str:
        """The code as it is shown and printed; of a word or a foreign code that has its title nothing, since what
        is stored of it (``SPR1NG10``) is not how it is written.
        """
        return codes.display(self.code) if codes.is_code(self.code) or not self.title else ""


@dataclass(frozen=True, kw_only=True, slots=True)
class Overview:
    """All staged codes, and the basket with them: ``None`` if it is not known."""

    coupons: tuple[StagedCoupon, ...]
    quote: Quote | None


def overview(
    *, session: MutableMapping[str, Any], facts: BasketFacts | None, order_ref: str = "", now: datetime | None = None
) -> Overview:
    """Return what becomes of the codes that are staged in this session. Changes nothing; at most one query.

    They were accepted here, or given to this browser, so whoever asks may hear the true reason against one (CO-6).
    """
    present = staged(session)
    basket = facts if facts is not None else _no_basket()
    priced = quote(codes=present, facts=basket, now=now, order_ref=order_ref, proven=present)
    discounts = {each.code: each for each in priced.discounts}
    errors = {each.text: each.error for each in priced.refusals if each.error.reason not in _may_wait_for(facts)}
    coupons = []
    for code in present:
        discount = discounts.get(code)
        coupons.append(
            StagedCoupon(
                code=code,
                title=discount.title if discount else "",
                amount=discount.amount if discount and facts is not None else None,
                error=errors.get(code),
            )
        )
    return Overview(coupons=tuple(coupons), quote=priced if facts is not None else None)


def _may_wait_for(facts: BasketFacts | None) -> frozenset[str]:
    if facts is None:
        return WAITS_FOR_BASKET
    return frozenset() if facts.lines else WAITS_FOR_GOODS


def _is_in_vain(discount: CouponDiscount, priced: Quote) -> bool:
    """Return whether a coupon would be wasted on this order. Free shipping is not while shipping is not known yet."""
    if discount.amount.amount or not priced.facts.lines:
        return False
    is_paid_for = priced.discount == priced.subtotal
    return is_paid_for or priced.facts.shipping.amount > 0


def _no_basket() -> BasketFacts:
    """Return a basket of nothing: it asks for what is true of a code whatever is bought."""
    currency = getattr(settings, "DEFAULT_CURRENCY", None) or "XXX"
    return BasketFacts(lines=(), shipping=Money(0, currency), currency=currency)
