"""Turning a cart into an order: all of it in one transaction, or nothing."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.db import IntegrityError, transaction
from django.db.models import F, Sum
from django.utils import timezone
from djmoney.money import Money

from coupons.exceptions import CouponError
from coupons.facts import BasketFacts, BasketLine
from coupons.holders import customer_key, user_key
from coupons.quoting import quote
from coupons.redemption import release, reserve_all
from thankyou_flows.orders import report_order
from thankyou_flows.values import Objection, OrderState
from wishlists.lines import key_text

from . import mail
from .exceptions import CouponRefused, FormUsed, ShopError, SoldOut, TotalChanged
from .facts import count_orders
from .models import Order, OrderLine, Payment, Product
from .payment_methods import PaymentMethod
from .shipping import CURRENCY, ShippingMethod, expect_delivery

#: The first order is KF-10001: a number that tells nobody how young the shop is.
NUMBER_OFFSET = 10_000

#: How long the coupons of an order wait for a bank transfer.
TRANSFER_TIME = timedelta(days=14)


#: What makes a line of its own: an article number, and the reference of a choice, or an empty text.
Key = tuple[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Customer:
    """Who orders, and where it goes."""

    email: str
    name: str
    street: str
    postcode: str
    city: str
    country: str
    street_extra: str = ""
    phone: str = ""


def place_order(
    *,
    token: UUID,
    quantities: Mapping[Key, int],
    customer: Customer,
    shipping_method: str,
    payment_method: str,
    codes: Sequence[str] = (),
    expected_total: Money | None = None,
    user: Any = None,
    language: str = "",
    own_orders: Sequence[Order] = (),
    objection: Objection = Objection.NOT_OFFERED,
    now: datetime | None = None,
) -> Order:
    """Create the order (state placed) with its first payment, take the goods from stock and reserve the coupons.

    ``quantities`` are pieces by article number and choice. ``token`` came with the form: the same token gives the same order,
    also when two requests arrive at once. ``expected_total`` is what the customer saw. ``own_orders`` were placed by the
    same customer: one of them that was left at the payment page and has a coupon of this order is called off first.

    Raises SoldOut, CouponRefused, TotalChanged or FormUsed; then nothing has changed.
    """
    now = now or timezone.now()
    try:
        with transaction.atomic():
            dropped = _call_off(own_orders, codes=set(codes), now=now)
            order = _create(
                token=token,
                quantities=quantities,
                customer=customer,
                shipping_method=shipping_method,
                payment_method=payment_method,
                codes=list(dict.fromkeys(codes)),
                expected_total=expected_total,
                user=user if getattr(user, "is_authenticated", False) else None,
                language=language,
                objection=objection,
                dropped=dropped,
                now=now,
            )
            if PaymentMethod(payment_method).answers_later:
                mail.confirm_order(order=order, now=now)
            for number in (*(old.number for old in dropped), order.number):
                report_order(number=number)
    except (IntegrityError, ShopError):
        # The twin of a double click may have been faster, and have taken the last piece or the coupon's last use.
        twin = find_order(token=token)
        if twin is None:
            raise
        if any(getattr(twin, name) != value for name, value in asdict(customer).items()):
            # Not a second click: whoever sends somebody else's token gets nothing of that order.
            raise FormUsed from None
        return twin
    return order


def find_order(*, token: UUID) -> Order | None:
    """Return the order that was placed with this form, if it was."""
    return Order.objects.filter(checkout_token=token).first()


def _create(
    *,
    token: UUID,
    quantities: Mapping[Key, int],
    customer: Customer,
    shipping_method: str,
    payment_method: str,
    codes: list[str],
    expected_total: Money | None,
    user: Any,
    language: str,
    objection: Objection,
    dropped: list[Order],
    now: datetime,
) -> Order:
    if dropped:
        # All at once and in one order, so that two customers who change their minds do not wait for each other.
        refs = {
            *(sku for sku, _options in quantities),
            *OrderLine.objects.filter(order__in=dropped).values_list("product_ref", flat=True),
        }
        list(Product.objects.select_for_update().filter(sku__in=refs).order_by("pk").values_list("pk"))
    for old in dropped:
        give_back_to_stock(order=old)
    products = _take_from_stock(quantities)
    wanted = sorted(quantities.items(), key=lambda item: (products[item[0][0]].pk, item[0][1]))
    for old in dropped:
        release(order_ref=old.number, now=now)
    facts = BasketFacts(
        lines=tuple(
            BasketLine(
                ref=key_text(key),
                product_ref=key[0],
                quantity=quantity,
                unit_price=products[key[0]].price,
                category_refs=(products[key[0]].category.slug,),
            )
            for key, quantity in wanted
        ),
        shipping=ShippingMethod(shipping_method).cost,
        currency=CURRENCY,
        customer_key=customer_key(customer.email),
        account_key=user_key(user),
        country=customer.country,
        previous_orders=count_orders(email=customer.email, user=user),
    )
    offer = quote(codes=codes, facts=facts, now=now, final=True)
    for refusal in offer.refusals:
        raise CouponRefused(code=refusal.text, message=refusal.message)
    # A coupon that would take nothing off, such as a second free shipping, stays with the customer.
    codes = [discount.code for discount in offer.discounts if discount.amount.amount]
    if expected_total is not None and offer.total != expected_total:
        raise TotalChanged(total=offer.total)
    delivery_from, delivery_until = expect_delivery(
        method=shipping_method,
        delivery_days=[(product.delivery_days_min, product.delivery_days_max) for product in products.values()],
        today=timezone.localdate(now),
    )
    order = Order.objects.create(
        number=f"-{token.hex[:16]}",  # the real one needs the row's own number
        user=user,
        email=customer.email,
        customer_key=facts.customer_key,
        name=customer.name,
        street=customer.street,
        street_extra=customer.street_extra,
        postcode=customer.postcode,
        city=customer.city,
        country=customer.country,
        phone=customer.phone,
        shipping_method=shipping_method,
        payment_method=payment_method,
        subtotal=offer.subtotal,
        discount=offer.discount,
        shipping=offer.shipping,
        total=offer.total,
        coupon_codes=codes,
        delivery_from=delivery_from,
        delivery_until=delivery_until,
        language=language,
        objection=objection,
        checkout_token=token,
        placed_at=now,
    )
    order.number = f"KF-{NUMBER_OFFSET + order.pk}"
    order.save(update_fields=["number"])
    OrderLine.objects.bulk_create(_line(order, products[sku], options, quantity) for (sku, options), quantity in wanted)
    Payment.objects.create(order=order, method=payment_method, amount=order.total)
    reserve_coupons(order_number=order.number, codes=codes, facts=facts, payment_method=payment_method, now=now)
    return order


def _call_off(own_orders: Sequence[Order], *, codes: set[str], now: datetime) -> list[Order]:
    """Cancel those of the customer's orders that were left unpaid and have one of these coupons; return them.

    Their goods and coupons are still to be given back. Their payments end first: an answer that comes at the same
    moment either was quicker, and the order stays, or changes nothing.
    """
    rivals = sorted((old for old in own_orders if codes.intersection(old.coupon_codes)), key=lambda old: old.pk)
    dropped = []
    for old in rivals:
        Payment.objects.pending().filter(order__in=Order.objects.left_unpaid().filter(pk=old.pk)).update(
            state=Payment.State.FAILED, answered_at=now
        )
        if Order.objects.left_unpaid().filter(pk=old.pk).update(state=OrderState.CANCELLED):
            old.state = OrderState.CANCELLED
            dropped.append(old)
    return dropped


def _line(order: Order, product: Product, options: str, quantity: int) -> OrderLine:
    return OrderLine(
        order=order,
        product_ref=product.sku,
        title=product.title,
        options=options,
        option_title=product.choices.get(options, ""),
        category_ref=product.category.slug,
        quantity=quantity,
        unit_price=product.price,
        total=product.price * quantity,
    )


def _take_from_stock(quantities: Mapping[Key, int]) -> dict[str, Product]:
    """Lower the stock, which all choices of a product share, and return the products by article number.

    Raises SoldOut, also for what a product does not come in; the caller's transaction then gives everything back.
    """
    pieces: Counter[str] = Counter()
    for (sku, _options), quantity in quantities.items():
        pieces[sku] += quantity
    found = Product.objects.filter(sku__in=pieces).select_related("category").order_by("pk")
    products = {product.sku: product for product in found}
    for sku, options in quantities:
        if sku not in products:
            raise SoldOut(title=sku, left=0)
        if options not in (products[sku].choices or {""}):
            raise SoldOut(title=products[sku].title, left=0)
    for product in products.values():
        if not take_from_shelf(product=product, quantity=pieces[product.sku]):
            left = Product.objects.for_sale().filter(pk=product.pk).values_list("stock", flat=True).first()
            raise SoldOut(title=product.title, left=left or 0)
    return products


def take_from_shelf(*, product: Product, quantity: int) -> bool:
    """Lower the stock in one guarded UPDATE, and return whether there was enough.

    The WHERE decides, not a number read before: two customers may both have read "1".
    """
    enough = Product.objects.for_sale().filter(pk=product.pk, stock__gte=quantity)
    return bool(enough.update(stock=F("stock") - quantity))


def give_back_to_stock(*, order: Order) -> None:
    """Put the goods of an order back on the shelf. The caller makes sure that it happens once."""
    quantities = dict(order.lines.order_by().values_list("product_ref").annotate(Sum("quantity")))
    # In the order in which ``_take_from_stock`` locks them.
    for pk, sku in Product.objects.filter(sku__in=quantities).order_by("pk").values_list("pk", "sku"):
        Product.objects.filter(pk=pk).update(stock=F("stock") + quantities[sku])


def reserve_coupons(
    *, order_number: str, codes: Sequence[str], facts: BasketFacts, payment_method: str, now: datetime | None = None
) -> None:
    """Take one use of each code for this order. Raises CouponRefused, and then none is taken.

    A transfer is days on its way: the coupons wait for it, or a second order could use them in between.
    """
    if not codes:
        return
    ttl = TRANSFER_TIME if PaymentMethod(payment_method).answers_later else None
    try:
        reserve_all(codes=codes, order_ref=order_number, facts=facts, now=now, ttl=ttl)
    except CouponError as error:
        refusals = quote(codes=codes, facts=facts, now=now, order_ref=order_number, final=True).refusals
        raise CouponRefused(code=refusals[0].text if refusals else "", message=error.message) from error
