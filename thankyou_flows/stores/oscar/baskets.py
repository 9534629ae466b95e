"""What our page may do to the visitor's Oscar basket: what a visitor could do there, by the same rules."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from oscar.apps.basket.signals import basket_addition, voucher_addition, voucher_removal
from oscar.core.loading import get_class, get_model

from coupons import staging
from coupons.models import Coupon
from coupons.quoting import explain

from .catalogue import OscarProduct, parse_ref
from .settling import codes_on

if TYPE_CHECKING:
    from django.http import HttpRequest

Voucher = get_model("voucher", "Voucher")
AddToBasketForm = get_class("basket.forms", "AddToBasketForm")
Applicator = get_class("offer.applicator", "Applicator")


def add_product(*, request: HttpRequest, product_ref: str, quantity: int = 1) -> bool:
    """Put a product into the visitor's basket and return whether it is in there now.

    The shop's own form decides (stock, currency, limits, required options). A parent product is refused: the visitor
    has to choose a variant on its page.
    """
    basket = _open_basket(request)
    key = parse_ref(product_ref)
    if basket is None or key is None:
        return False
    product = OscarProduct.objects.filter(pk=key, is_public=True).select_related("parent").first()
    if product is None:
        return False
    data: dict[str, Any] = {"quantity": quantity}
    if product.is_child:
        data["child_id"] = str(product.pk)
    form = AddToBasketForm(basket, product.parent if product.is_child else product, data)
    if not form.is_valid():
        return False
    basket.add_product(form.product, form.cleaned_data["quantity"], form.cleaned_options())
    basket_addition.send_robust(sender=add_product, product=form.product, user=request.user, request=request)
    return True


def apply_coupon(*, request: HttpRequest, coupon: Coupon, code: str) -> bool:
    """Put the coupon's voucher on the visitor's next checkout and return whether it is on it now.

    With products in the basket the voucher goes on it, as from Oscar's own form; one that takes nothing off is not put
    on it, for an order would use it up. Without, as everybody is just after an order, the code waits in the session
    until something is put into a basket (``apply_staged``). A code that waits there stays until the order is placed or
    the voucher is taken off again, so that the pages of ``coupons`` show it meanwhile.
    """
    voucher = Voucher.objects.filter(code=code.upper()).first()
    is_good = voucher is not None and voucher.is_active() and voucher.is_available_to_user(request.user)[0]
    if not is_good or explain(coupon=coupon) is not None:
        staging.unstage(request.session, coupon.code)
        return False
    basket = _open_basket(request)
    if basket is None or basket.is_empty:
        staging.stage(request.session, coupon.code)
        return True
    return bool(basket.contains_voucher(voucher.code)) or _put_on_basket(request, basket, voucher)


def apply_staged(*, request: HttpRequest, voucher_code: Callable[..., str]) -> None:
    """Put the codes that wait in the session on the basket, which has products now. No query if none waits."""
    waiting = staging.staged(request.session)
    if not waiting:
        return
    for coupon in Coupon.objects.filter(code__in=waiting).select_related("campaign"):
        apply_coupon(request=request, coupon=coupon, code=voucher_code(coupon=coupon))


def take_off(*, request: HttpRequest, code: str) -> bool:
    """Take the coupon with this stored code off the visitor's basket, and return whether it was there."""
    basket = _open_basket(request)
    voucher = codes_on(basket).get(code) if basket is not None else None
    if voucher is None:
        return False
    basket.vouchers.remove(voucher)
    basket.reset_offer_applications()
    Applicator().apply(basket, request.user, request)
    voucher_removal.send_robust(sender=take_off, basket=basket, voucher=voucher)
    return True


def forget_used(*, request: HttpRequest, basket: Any) -> None:
    """Stop the codes of an order that was just placed from waiting for the next one. No query if none waits."""
    for code in codes_on(basket) if staging.staged(request.session) else ():
        staging.unstage(request.session, code)


def has_coupon(*, request: HttpRequest, coupon: Coupon, code: str) -> bool:
    """Tell whether the coupon waits in the session (no query) or its voucher is on the visitor's basket."""
    if coupon.code in staging.staged(request.session):
        return True
    basket = _open_basket(request)
    return basket is not None and bool(basket.contains_voucher(code.upper()))


def _put_on_basket(request: HttpRequest, basket: Any, voucher: Any) -> bool:
    basket.vouchers.add(voucher)
    basket.reset_offer_applications()
    Applicator().apply(basket, request.user, request)
    if voucher not in applied_vouchers(basket):
        basket.vouchers.remove(voucher)
        return False
    voucher_addition.send_robust(sender=apply_coupon, basket=basket, voucher=voucher)
    return True


def applied_vouchers(basket: Any) -> list[Any]:
    """Return the vouchers that take something off this basket (after offers were applied to it)."""
    return [application["voucher"] for application in basket.offer_applications if application["voucher"]]


def _open_basket(request: HttpRequest) -> Any:
    """Return the visitor's basket if it can be changed: during the checkout it is frozen, and then submitted."""
    basket = getattr(request, "basket", None)
    return basket if basket is not None and basket.status in basket.editable_statuses else None
