"""Oscar's orders as our values, in a number of queries that does not grow with the lines (OP-7)."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from django.db.models import Exists, OuterRef, Prefetch, Subquery
from djmoney.money import Money
from oscar.core.loading import get_model

from coupons.codes import display, normalise
from coupons.exceptions import InvalidCode

from ...values import Address, Order, OrderLine
from .catalogue import WORDY_TYPES, category_refs, image_of, url_of

if TYPE_CHECKING:
    from . import OscarStore

OscarOrder = get_model("order", "Order")
OscarLine = get_model("order", "Line")
LineAttribute = get_model("order", "LineAttribute")
OrderDiscount = get_model("order", "OrderDiscount")
PaymentSource = get_model("payment", "Source")
AttributeValue = get_model("catalogue", "ProductAttributeValue")


def read_order(*, store: OscarStore, number: str) -> Order | None:
    """Return the order with this number as a value, or None.

    Four queries, and up to five more for what most orders do not have: options, vouchers, variants, fees.
    """
    payment_method = PaymentSource.objects.filter(order=OuterRef("pk")).order_by("pk").values("source_type__name")[:1]
    order = (
        OscarOrder.objects.select_related("user", "shipping_address", "billing_address")
        .annotate(
            thankyou_payment_method=Subquery(payment_method),
            thankyou_has_options=Exists(LineAttribute.objects.filter(line__order=OuterRef("pk"))),
            thankyou_has_discounts=Exists(OrderDiscount.objects.filter(order=OuterRef("pk"))),
        )
        .filter(number=number)
        .first()
    )
    if order is None:
        return None
    currency = order.currency
    rows = _read_rows(order)
    lines = _lines(rows, currency)
    if order.total_incl_tax != order.shipping_incl_tax + sum(row.line_price_incl_tax for row in rows):
        lines += _read_fees(order)
    subtotal = sum((line.total for line in lines), Money(0, currency))
    shipping = Money(order.shipping_incl_tax, currency)
    total = Money(order.total_incl_tax, currency)
    # Taken off the goods; what was taken off the shipping, Oscar has left out of its charge.
    discount = subtotal + shipping - total
    tax = order.total_incl_tax - order.total_excl_tax
    first_name = (order.user and order.user.first_name) or (
        order.shipping_address and order.shipping_address.first_name
    )
    return Order(
        number=str(order.number),
        state=store.get_state(status=order.status),
        placed_at=order.date_placed,
        lines=tuple(lines),
        subtotal=subtotal,
        shipping=shipping,
        total=total,
        discount=discount if discount.amount > 0 else None,
        tax=Money(tax, currency) if tax > 0 else None,
        coupon_codes=tuple(_coupon_code(code) for code in _read_vouchers(order)),
        shipping_method=order.shipping_method,
        payment_method=order.thankyou_payment_method or "",
        email=order.email or "",
        first_name=first_name or "",
        shipping_address=_address(order.shipping_address),
        billing_address=_address(order.billing_address),
        note=getattr(order.shipping_address, "notes", "") or "",
    )


def is_order_of(*, user: Any, number: str) -> bool:
    """Tell whether this user placed the order: one query that asks for both at once (TY-2), none for a guest (TY-3)."""
    if user is None or not user.is_authenticated or user.pk is None:
        return False
    return OscarOrder.objects.filter(number=number, user_id=user.pk).exists()


def owner_of(*, number: str) -> Any:
    """Return the user who placed the order, or None for a guest's or an unknown one: one query."""
    order = OscarOrder.objects.filter(number=number).exclude(user=None).select_related("user").first()
    return order.user if order is not None else None


@dataclass(slots=True)
class TakenOff:
    """What one voucher took off an order."""

    goods: Decimal = Decimal(0)
    shipping: Decimal = Decimal(0)


def voucher_discounts(order: Any) -> dict[str, TakenOff]:
    """Return what each voucher took off this order, by its code. One query."""
    amounts: dict[str, TakenOff] = defaultdict(TakenOff)
    for discount in order.discounts.all():
        if not discount.voucher_code:
            continue
        if discount.is_shipping_discount:
            amounts[discount.voucher_code].shipping += discount.amount
        else:
            amounts[discount.voucher_code].goods += discount.amount
    return dict(amounts)


def _read_vouchers(order: Any) -> Iterable[str]:
    return voucher_discounts(order) if order.thankyou_has_discounts else ()


def _read_rows(order: Any) -> list[Any]:
    rows = (
        OscarLine.objects.filter(order=order)
        .select_related("product__parent")
        .prefetch_related(
            "product__images",
            "product__parent__images",
            "product__categories",
            "product__parent__categories",
        )
        .order_by("pk")
    )
    if order.thankyou_has_options:
        rows = rows.prefetch_related(Prefetch("attributes", queryset=LineAttribute.objects.select_related("option")))
    return list(rows)


def _lines(rows: Sequence[Any], currency: str) -> list[OrderLine]:
    variants = _read_variants(row.product for row in rows if row.product is not None)
    return [_line(row, currency, variants) for row in rows]


def _line(row: Any, currency: str, variants: dict[Any, list[str]]) -> OrderLine:
    image_url, image_alt = image_of(row.product)
    chosen = [*variants.get(row.product_id, ()), *_choices(row)]
    unit_price = row.unit_price_incl_tax
    return OrderLine(
        # The product may have left the catalogue since; the line keeps its title.
        product_ref="" if row.product_id is None else str(row.product_id),
        title=row.title,
        quantity=row.quantity,
        # Before discounts: these are shown once, for the whole order.
        total=Money(row.line_price_before_discounts_incl_tax, currency),
        unit_price=None if unit_price is None else Money(unit_price, currency),
        options=", ".join(chosen),
        url=url_of(row.product),
        image_url=image_url,
        image_alt=image_alt,
        category_refs=category_refs(row.product),
    )


def _choices(row: Any) -> list[str]:
    # Not looked for on an order without any.
    loaded = "attributes" in getattr(row, "_prefetched_objects_cache", {})
    return [_choice(attribute) for attribute in row.attributes.all()] if loaded else []


def _choice(attribute: Any) -> str:
    value = attribute.value
    text = ", ".join(str(part) for part in value) if isinstance(value, list) else str(value)
    return f"{attribute.option.name if attribute.option else attribute.type}: {text}"


def _read_variants(products: Iterable[Any]) -> dict[Any, list[str]]:
    children = [product.pk for product in products if product.is_child]
    if not children:
        return {}
    words: dict[Any, list[str]] = defaultdict(list)
    values = AttributeValue.objects.filter(product_id__in=children, attribute__type__in=WORDY_TYPES)
    for value in values.select_related("attribute", "value_option__group").order_by("pk"):
        words[value.product_id].append(f"{value.attribute.name}: {value.value_as_text}")
    return words


def _read_fees(order: Any) -> list[OrderLine]:
    """Return Oscar's surcharges (a fee for a way of paying) as lines: they are part of what was paid for."""
    currency = order.currency
    return [
        OrderLine(product_ref="", title=fee.name, quantity=1, total=Money(fee.incl_tax, currency))
        for fee in order.surcharges.all()
    ]


def _coupon_code(voucher_code: str) -> str:
    """Return a code of ours in its stored form; a word, and a code of the shop's own, as it is."""
    try:
        stored = normalise(voucher_code)
    except InvalidCode:
        return voucher_code
    return stored if display(stored) == voucher_code else voucher_code


def _address(address: Any) -> Address | None:
    if address is None:
        return None
    return Address(
        name=address.name,
        lines=tuple(line for line in (address.line1, address.line2, address.line3) if line),
        postcode=address.postcode or "",
        city=address.line4,
        region=address.state,
        # Country's primary key is its ISO code: no query for the row.
        country=address.country_id or "",
        phone=str(getattr(address, "phone_number", "") or ""),
    )
