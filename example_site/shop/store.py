"""The example shop behind the seam of ``thankyou_flows``; also the catalogue of the cookie cart (``wishlists``)."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any

from django.utils.translation import gettext as _
from djmoney.money import Money

from coupons.staging import stage, staged
from thankyou_flows.stores.base import Store
from thankyou_flows.values import Address, Objection, Order, OrderLine, OrderState, Product
from wishlists.catalog import Attribute
from wishlists.exceptions import ListError
from wishlists.lines import add, is_ref

from . import models
from .payment_methods import PaymentMethod, how_to_pay
from .prices import lowest_before, prices_at
from .shipping import ShippingMethod

if TYPE_CHECKING:
    from django.http import HttpRequest

    from coupons.models import Coupon


class ExampleStore(Store):
    """Kettle & Fern."""

    name = "Kettle & Fern"
    can_add_to_basket = True
    can_apply_coupons = True

    def get_order(self, *, number: str) -> Order | None:
        """Return an order with three queries: the order, its lines, and today's pictures of what was bought."""
        order = models.Order.objects.filter(number=number).first() if is_ref(number) else None
        if order is None:
            return None
        lines = list(order.lines.all())
        products = self.get_products(refs=[line.product_ref for line in lines])
        return Order(
            number=order.number,
            state=OrderState(order.state),
            placed_at=order.placed_at,
            lines=tuple(_line(line, products.get(line.product_ref)) for line in lines),
            subtotal=order.subtotal,
            discount=order.discount if order.discount.amount else None,
            shipping=order.shipping,
            total=order.total,
            coupon_codes=tuple(order.coupon_codes),
            shipping_method=str(ShippingMethod(order.shipping_method).label),
            payment_method=str(PaymentMethod(order.payment_method).label),
            payment_instructions=how_to_pay(order),
            delivery_from=order.delivery_from,
            delivery_until=order.delivery_until,
            language=order.language,
            objection=Objection(order.objection),
            email=order.email,
            first_name=order.first_name,
            shipping_address=Address(
                name=order.name,
                lines=tuple(line for line in (order.street, order.street_extra) if line),
                postcode=order.postcode,
                city=order.city,
                country=str(order.country.code or ""),
                phone=order.phone,
            ),
        )

    def owns_order(self, *, user: Any, number: str) -> bool:
        """One query that asks for the number and the owner at once (TY-2); nobody owns nothing (TY-3)."""
        return is_ref(number) and models.Order.objects.for_user(user).filter(number=number).exists()

    def get_owner(self, *, number: str) -> Any:
        order = models.Order.objects.filter(number=number).select_related("user").first() if is_ref(number) else None
        return order.user if order is not None else None

    def get_products(self, *, refs: Iterable[str]) -> dict[str, Product]:
        """Return products with their pages, pictures and categories in one query."""
        readable = {ref for ref in refs if is_ref(ref)}
        if not readable:
            return {}
        found = models.Product.objects.filter(sku__in=readable).with_pages()
        return {product.sku: as_value(product) for product in found}

    def get_attributes(self, *, refs: Iterable[str]) -> dict[str, list[Attribute]]:
        """Return what the product's page says in its details, and how long it takes to arrive. One query."""
        readable = {ref for ref in refs if is_ref(ref)}
        if not readable:
            return {}
        found = models.Product.objects.filter(sku__in=readable).select_related("page")
        return {product.sku: _attributes(product) for product in found}

    def get_option_titles(self, *, keys: Iterable[tuple[str, str]]) -> dict[tuple[str, str], str]:
        """Return what choices are called. One query, for those who have no products at hand (they carry ``choices``)."""
        readable = {key for key in keys if is_ref(key[0]) and key[1]}
        if not readable:
            return {}
        found = models.Product.objects.filter(sku__in={ref for ref, _options in readable})
        choices = {product.sku: product.choices for product in found}
        titles = {key: choices.get(key[0], {}).get(key[1], "") for key in readable}
        return {key: title for key, title in titles.items() if title}

    def get_lowest_prices(self, *, refs: Iterable[str], days: int = 30) -> dict[str, Money]:
        """Return the lowest price of the days before today's price came. One query."""
        readable = {ref for ref in refs if is_ref(ref)}
        return lowest_before(skus=readable, days=days) if readable else {}

    def get_prices_at(self, *, refs: Iterable[str], at: datetime) -> dict[str, Money]:
        """Return what products cost at a moment. One query."""
        readable = {ref for ref in refs if is_ref(ref)}
        return prices_at(skus=readable, at=at) if readable else {}

    def get_categories(self) -> Sequence[tuple[str, str]]:
        return list(models.Category.objects.values_list("slug", "title"))

    def search_products(self, *, text: str = "", limit: int = 200) -> Sequence[tuple[str, str]]:
        products = models.Product.objects.for_sale()
        if text:
            products = products.filter(title__icontains=text)
        return list(products.order_by("title").values_list("sku", "title")[:limit])

    def add_to_basket(self, *, request: HttpRequest, product_ref: str, quantity: int = 1) -> bool:
        """Put a product into the cookie cart, as far as stock goes; False if it cannot be bought or does not fit."""
        product = self.get_products(refs=[product_ref]).get(product_ref)
        if product is None or not product.available or product.choices:
            # What there is to choose is chosen on the product's page.
            return False
        store = request.lists  # type: ignore[attr-defined]
        present = store.cart.find(product_ref=product_ref)
        held = present.quantity if present else 0
        if product.max_quantity is not None:
            quantity = min(quantity, product.max_quantity - held)
        if quantity < 1:
            return held > 0
        try:
            store.save(add(store.cart, product_ref=product_ref, quantity=quantity))
        except ListError:
            return False
        return True

    def apply_coupon(self, *, request: HttpRequest, coupon: Coupon) -> bool:
        """Keep the code for the next checkout, which then asks ``coupons`` for today's answer."""
        stage(request.session, coupon.code)
        return True

    def has_applied_coupon(self, *, request: HttpRequest, coupon: Coupon) -> bool:
        """Look into the session, without a query."""
        return coupon.code in staged(request.session)


def as_value(product: models.Product) -> Product:
    """Return a product, loaded with its page, as the value that blocks and lists show."""
    return Product(
        ref=product.sku,
        title=product.title,
        url=product.url,
        price=product.price,
        image_url=product.image_url,
        image_alt=product.image_alt,
        available=product.is_available,
        max_quantity=product.max_quantity,
        category_refs=(product.category.slug,),
        left=product.stock,
        choices=product.choices,
    )


def _attributes(product: models.Product) -> list[Attribute]:
    page = getattr(product, "page", None)
    facts = [
        Attribute(str(fact["label"]), str(fact["value"]))
        for block in (page.story if page is not None and page.live else ())
        if block.block_type == "facts"
        for fact in block.value
    ]
    days = _("%(low)s to %(high)s days") % {"low": product.delivery_days_min, "high": product.delivery_days_max}
    choices = [Attribute(_("Comes in"), ", ".join(product.choices.values()))] if product.choices else []
    return [*facts, *choices, Attribute(_("Delivery"), days)]


def _line(line: models.OrderLine, product: Product | None) -> OrderLine:
    return OrderLine(
        product_ref=line.product_ref,
        title=line.title,
        options=line.option_title,
        quantity=line.quantity,
        unit_price=line.unit_price,
        total=line.total,
        url=product.url if product else "",
        image_url=product.image_url if product else "",
        image_alt=product.image_alt if product else "",
        category_refs=(line.category_ref,) if line.category_ref else (),
    )
