"""The checkout: one page, no account, nothing lost when something is wrong."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from django.contrib.auth.decorators import login_not_required
from django.core.validators import validate_email
from django.forms import ValidationError
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import get_language
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods
from djmoney.money import Money

from coupons.arithmetic import CouponDiscount, Quote
from coupons.codes import normalise
from coupons.entry import enter, placing
from coupons.exceptions import (
    CouponError,
    CouponLocked,
    CouponNotForBasket,
    CouponOver,
    CouponUsedUp,
    TooManyTries,
)
from coupons.facts import BasketFacts
from coupons.holders import customer_key
from coupons.models import Coupon
from coupons.quoting import explain, quote
from coupons.staging import staged, unstage
from coupons.visitors import has_passed_challenge, visitor_of
from wishlists.moving import park, take_ordered
from wishlists.pricing import PricedLines, price

from .. import browser
from ..accounts import verified_email
from ..countries import ShippingCountries
from ..exceptions import CouponRefused, FormUsed, ShopError
from ..facts import facts_of_cart
from ..forms import CheckoutForm
from ..models import Order
from ..placing import find_order, place_order
from ..shipping import CURRENCY, ShippingMethod
from ..store import ExampleStore
from .payment import go_on_with


@dataclass
class Tried:
    """What came of what the customer did: the words for it, and where they belong."""

    notice: str = ""
    code: str = ""
    code_error: str = ""
    #: The status of an answer that shows this, unless all is well.
    status: int = 422
    #: When trying again is worth it, in seconds, if it was too much.
    retry_after: int = 0
    #: Beside the summary, not beside a field.
    problem: str = ""
    #: Codes that were refused when the order was placed.
    refused: list[str] = field(default_factory=list)


@login_not_required
@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def checkout(request: HttpRequest) -> HttpResponse:
    """Show the checkout, do one of its small steps (``update``, ``remove``), or place the order (``place``)."""
    if request.method != "POST":
        return _page(request, CheckoutForm(initial=_known_data(request)), Tried())
    if order := _order_of_this_form(request):
        # A double click, or "back" and "place order" again.
        return go_on_with(request, order)
    if code := request.POST.get("remove", ""):
        unstage(request.session, code)
        return _page(request, _unchecked(request), Tried(notice=_("The coupon was taken off this order.")))
    tried = _try_code(request)
    if request.POST.get("action") != "place" or tried.code_error or tried.notice:
        # A code that was typed but not applied comes first: the customer shall see the new total before ordering.
        return _page(request, _unchecked(request), tried)
    return _place(request)


def _place(request: HttpRequest) -> HttpResponse:
    form = CheckoutForm(request.POST)
    basket = _basket(request)
    if not form.is_valid() or not basket.buyable:
        return _page(request, form, Tried())
    data = form.cleaned_data
    # The total that was seen is without the codes that the page called not valid.
    codes = [code for code in staged(request.session) if code not in request.POST.getlist("without")]
    guard = placing(
        codes=codes,
        visitor=visitor_of(request),
        customer_key=customer_key(data["email"]),
        challenge_passed=has_passed_challenge(request),
    )
    try:
        with guard as trying:
            try:
                order = place_order(
                    token=data["token"],
                    quantities={line.line.key: line.quantity for line in basket.buyable},
                    customer=form.customer(),
                    shipping_method=data["shipping_method"],
                    payment_method=data["payment_method"],
                    codes=codes,
                    expected_total=Money(data["seen_total"] or 0, CURRENCY),
                    user=request.user,
                    language=get_language() or "",
                    own_orders=browser.orders_left_unpaid(request),
                    objection=form.objection,
                )
            except CouponRefused:
                trying.fail()
                raise
    except TooManyTries as error:
        problem = f"{error.message} {_('Or take your coupons off, and order without them.')}"
        return _page(request, form, Tried(problem=problem, status=429, retry_after=error.retry_after))
    except CouponRefused as error:
        # The summary says which one. Why, it says only where that tells nothing of whose address was typed.
        problem = _(
            "One of your coupons cannot be used for this order. Take it off, or look at the new total before you order."
        )
        return _page(request, form, Tried(problem=problem if error.code else error.message, refused=[error.code]))
    except FormUsed as error:
        return _page(request, _unchecked(request, token=False), Tried(problem=error.message))
    except ShopError as error:
        return _page(request, form, Tried(problem=error.message))
    form.sign_up(request=request, email=order.email)
    # The coupons stay staged until the order is paid: whoever leaves the payment page and orders anew keeps them.
    browser.remember_order(request, order)
    # What could not be ordered waits among the saved things until it can.
    park(shelf=request.lists, cards=basket.cards)  # type: ignore[attr-defined]
    # All of a line went that the customer saw, also where less was in stock; what came from another device stays.
    ordered = {line.line.key: line.line.quantity for line in basket.buyable}
    take_ordered(shelf=request.lists, quantities=ordered)  # type: ignore[attr-defined]
    return go_on_with(request, order)


def _try_code(request: HttpRequest) -> Tried:
    """Stage the code in the field, if there is a new one and it helps this order; say why if not."""
    text = request.POST.get("code", "").strip()
    if not text:
        return Tried()
    present = staged(request.session)
    with suppress(CouponError):
        if normalise(text) in present:
            return Tried()
    try:
        enter(
            text=text,
            visitor=visitor_of(request),
            session=request.session,
            facts=_facts(_basket(request), request),
            challenge_passed=has_passed_challenge(request),
            order_ref=_order_to_replace(request, [*present, text]),
            # It opens a coupon that is kept for this customer, and is asked for nothing else.
            claimed_key=customer_key(_typed_email(request)),
        )
    except TooManyTries as error:
        return Tried(code=text[:40], code_error=error.message, status=429, retry_after=error.retry_after)
    except CouponError as error:
        return Tried(code=text[:40], code_error=error.message)
    return Tried(notice=_("Your coupon is on this order. Please look at the new total."))


def _page(request: HttpRequest, form: CheckoutForm, tried: Tried) -> HttpResponse:
    basket = _basket(request)
    if not basket.buyable:
        return redirect("thankyou_wishlists:cart")
    offer = _offer(basket, request)
    reasons = {refusal.text: refusal.error for refusal in offer.refusals}
    for code in tried.refused:
        reasons.setdefault(code, CouponNotForBasket())
    if tried.refused:
        offer = _offer(basket, request, without=tried.refused)
    method = _shipping_method(request)
    failed = form.is_bound and bool(form.errors)
    context = {
        "form": form,
        "errors": [(form[name], error) for name, messages in form.errors.items() for error in messages]
        if form.is_bound
        else [],
        "tried": tried,
        "basket": basket,
        "offer": offer,
        "seen_total": str(offer.total.amount),
        "coupons": _coupon_rows(request, offer, reasons),
        "shipping_method": method,
        "now": timezone.now(),
    }
    status = tried.status if failed or tried.code_error or tried.problem else 200
    response = render(request, "shop/checkout.html", context, status=status)
    if tried.retry_after:
        response.headers["Retry-After"] = str(tried.retry_after)
    if request.method == "POST":
        for row in context["coupons"]:
            if row["is_gone"]:
                # Said and read; from now on it would only be in the way. A mere look changes nothing.
                unstage(request.session, row["code"])
    return response


def _coupon_rows(request: HttpRequest, offer: Quote, reasons: dict[str, CouponError]) -> list[dict[str, Any]]:
    """Return what the summary says of each staged code: the coupon, what it takes off, or why it cannot be used.

    A staged code was valid when it was typed here, or was given to this browser: whoever has it may hear the reason
    (CO-6).
    """
    codes = staged(request.session)
    if not codes:
        return []
    found = {coupon.code: coupon for coupon in Coupon.objects.filter(code__in=codes).select_related("campaign")}
    discounts: dict[str, CouponDiscount] = {discount.code: discount for discount in offer.discounts}
    waiting = {code: order for order in browser.orders_left_unpaid(request) for code in order.coupon_codes}
    rows = []
    for code in codes:
        coupon, error = found.get(code), reasons.get(code)
        order = waiting.get(code)
        rows.append(
            {
                "code": code,
                "coupon": coupon,
                "discount": discounts.get(code) if error is None else None,
                "error": error,
                "is_over": isinstance(error, CouponOver) and coupon and _has_ended(coupon),
                "order": order,
                "is_gone": error is not None and _is_for_good(error, order),
            }
        )
    return rows


def _is_for_good(error: CouponError, order: Order | None) -> bool:
    """Return whether a coupon will not come back. Another address, more goods, the end of a pause, or paying for the
    order that holds it may still make it fit.
    """
    if isinstance(error, CouponOver):
        return error.code == CouponOver.default_code
    return isinstance(error, CouponLocked) or (isinstance(error, CouponUsedUp) and order is None)


def _has_ended(coupon: Coupon) -> bool:
    return coupon.valid_until is not None and coupon.valid_until <= timezone.now()


def _basket(request: HttpRequest) -> PricedLines:
    """Return the cart at today's prices, priced once a request."""
    if not hasattr(request, "_shop_basket"):
        request._shop_basket = price(request.lists.cart, ExampleStore())  # type: ignore[attr-defined]
    basket: PricedLines = request._shop_basket  # type: ignore[attr-defined]
    return basket


def _offer(basket: PricedLines, request: HttpRequest, *, without: Sequence[str] = ()) -> Quote:
    codes = [code for code in staged(request.session) if code not in without]
    order_ref = _order_to_replace(request, codes)
    return quote(codes=codes, facts=_facts(basket, request), order_ref=order_ref, proven=codes)


def _facts(basket: PricedLines, request: HttpRequest) -> BasketFacts:
    """Return what is known so far: a country that nobody has chosen yet, since there is no address, is not.

    An address that was only typed is not either, or this page would tell everybody who is a customer here: it counts
    when the order is placed.
    """
    own, typed = verified_email(request.user), _typed_email(request)
    country = request.POST.get("country", "") if request.POST.get("postcode", "").strip() else ""
    return facts_of_cart(
        lines=basket.lines,
        shipping_method=_shipping_method(request),
        email=own if not typed or customer_key(typed) == customer_key(own) else "",
        country=country if country in dict(ShippingCountries()) else "",
        user=request.user,
    )


def _order_to_replace(request: HttpRequest, texts: list[str]) -> str:
    """Return the number of an order of this browser, left unpaid, that keeps one of these coupons; else an empty text.

    ``place_order`` calls that order off, so its reservation does not count here either.
    """
    codes = set()
    for text in texts:
        with suppress(CouponError):
            codes.add(normalise(text))
    rivals = [order for order in browser.orders_left_unpaid(request) if codes.intersection(order.coupon_codes)]
    if not rivals:
        return ""
    held = Coupon.objects.filter(code__in=rivals[0].coupon_codes).select_related("campaign")
    # A quote lets an order keep what it has reserved in time; a new order is too late when the coupon's time is over.
    in_time = all(isinstance(explain(coupon=coupon), CouponUsedUp | None) for coupon in held if coupon.code in codes)
    return rivals[0].number if in_time else ""


def _shipping_method(request: HttpRequest) -> ShippingMethod:
    posted = request.POST.get("shipping_method", "")
    return ShippingMethod(posted) if posted in ShippingMethod else ShippingMethod.STANDARD


def _typed_email(request: HttpRequest) -> str:
    """Return the address typed so far, if it is one."""
    email = request.POST.get("email", "").strip()
    try:
        validate_email(email)
    except ValidationError:
        return ""
    return email


def _order_of_this_form(request: HttpRequest) -> Order | None:
    try:
        order = find_order(token=UUID(request.POST.get("token", "")))
    except ValueError:
        return None
    return order if order is not None and browser.has_placed(request, order) else None


def _unchecked(request: HttpRequest, *, token: bool = True) -> CheckoutForm:
    """Return the form with everything typed so far and no complaints about what is still missing.

    Without ``token`` it gets a new one.
    """
    names = [name for name in CheckoutForm.base_fields if name in request.POST and (token or name != "token")]
    return CheckoutForm(initial={name: request.POST[name] for name in names})


def _known_data(request: HttpRequest) -> dict[str, Any]:
    """Return what a signed-in customer told us with the last order, so that nothing is asked twice (AX-3)."""
    if not request.user.is_authenticated:
        return {}
    last = Order.objects.for_user(request.user).first()
    if last is None:
        return {"email": request.user.email, "name": request.user.get_full_name()}
    names = ("email", "name", "street", "street_extra", "postcode", "city", "country", "phone", "shipping_method")
    return {name: getattr(last, name) for name in names}
