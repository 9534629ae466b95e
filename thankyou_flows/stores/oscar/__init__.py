"""The adapter to django-oscar 4.2: ``THANKYOU_FLOWS = {"STORE": "thankyou_flows.stores.oscar.OscarStore"}``.

No Oscar app has to be forked for it, and forked ones are honoured: models and classes are found through
``oscar.core.loading``. This module can be imported without Oscar, so that ``check()`` can say what is missing; its
neighbours can't, and are imported where they are used.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, ClassVar

from django.core.checks import CheckMessage

from ...values import OrderState
from ..base import Store

if TYPE_CHECKING:
    from django.http import HttpRequest

    from coupons.facts import BasketFacts
    from coupons.models import Coupon
    from wishlists.catalog import Attribute

    from ...values import Order, Product

__all__ = ["OscarStore", "basket_facts"]

logger = logging.getLogger(__name__)


def basket_facts(request: HttpRequest) -> BasketFacts | None:
    """Return the visitor's Oscar basket as the facts that coupons are decided on, or ``None`` without a basket.

    For ``THANKYOU_COUPONS = {"BASKET": "thankyou_flows.stores.oscar.basket_facts"}``.
    """
    from .facts import basket_facts as read

    return read(request)


class OscarStore(Store):
    """A django-oscar shop. Subclass it to map statuses of your own, and name the subclass in the setting."""

    name = "django-oscar"
    base_template = "thankyou_flows/oscar_base.html"
    can_add_to_basket = True
    has_own_discounts = True
    can_apply_coupons = True

    #: What the shop's order statuses mean, in lower case. Oscar's checkout saves an order after the payment was
    #: taken, so a new order ("" or "Pending") is paid. Oscar's own example cascades "Complete" to lines that are
    #: "Shipped": that is as far as Oscar knows. A status that is not listed counts as PLACED, which promises nothing;
    #: ``check()`` names it.
    state_map: ClassVar[Mapping[str, OrderState]] = {
        "": OrderState.PAID,
        "pending": OrderState.PAID,
        "new": OrderState.PAID,
        "paid": OrderState.PAID,
        "being processed": OrderState.PAID,
        "awaiting payment": OrderState.PLACED,
        "pending payment": OrderState.PLACED,
        "shipped": OrderState.SHIPPED,
        "dispatched": OrderState.SHIPPED,
        "complete": OrderState.SHIPPED,
        "completed": OrderState.SHIPPED,
        "delivered": OrderState.DELIVERED,
        "cancelled": OrderState.CANCELLED,
        "canceled": OrderState.CANCELLED,
        "refunded": OrderState.REFUNDED,
        "returned": OrderState.REFUNDED,
    }

    def get_state(self, *, status: str) -> OrderState:
        """Return what a status of the shop means, by ``state_map``."""
        return self.state_map.get(status.strip().lower(), OrderState.PLACED)

    # Orders ---------------------------------------------------------------------------------------

    def get_order(self, *, number: str) -> Order | None:
        from .orders import read_order

        return read_order(store=self, number=number)

    def owns_order(self, *, user: Any, number: str) -> bool:
        from .orders import is_order_of

        return is_order_of(user=user, number=number)

    def get_owner(self, *, number: str) -> Any:
        from .orders import owner_of

        return owner_of(number=number)

    # Catalogue ------------------------------------------------------------------------------------

    def get_products(self, *, refs: Iterable[str]) -> dict[str, Product]:
        from .catalogue import read_products

        return read_products(refs=refs)

    def get_variant(self, *, product_ref: str, options: str) -> str | None:
        """Return the variant itself: in Oscar it is a product of its own, and its primary key names it as an option."""
        from .catalogue import variant_of

        return variant_of(product_ref=product_ref, options=options) if options else product_ref

    def get_saved_refs(self, *, refs: Iterable[str]) -> set[str]:
        """Return the products and the parents of those that are variants: what is saved is often the parent."""
        from .catalogue import with_parents

        return with_parents(refs=refs)

    def get_attributes(self, *, refs: Iterable[str]) -> dict[str, list[Attribute]]:
        """Return the attributes of products in words, for lists that compare them (``wishlists``)."""
        from .attributes import read_attributes

        return read_attributes(refs=refs)

    def get_option_titles(self, *, keys: Iterable[tuple[str, str]]) -> dict[tuple[str, str], str]:
        """Return what to call variants in lists (``wishlists``), by the parent and the variant."""
        from .catalogue import name_variants

        return name_variants(keys=list(keys))

    def get_categories(self) -> Sequence[tuple[str, str]]:
        from .catalogue import list_categories

        return list_categories()

    def search_products(self, *, text: str = "", limit: int = 200) -> Sequence[tuple[str, str]]:
        from .catalogue import list_products

        return list_products(text=text, limit=limit)

    def get_shop_url(self) -> str:
        from django.conf import settings

        return str(settings.OSCAR_HOMEPAGE)

    # Basket and discounts -------------------------------------------------------------------------

    def add_to_basket(self, *, request: HttpRequest, product_ref: str, quantity: int = 1) -> bool:
        from .baskets import add_product

        return add_product(request=request, product_ref=product_ref, quantity=quantity)

    def voucher_code(self, *, coupon: Coupon) -> str:
        """Return the code of the coupon's voucher: as the customer reads it, for Oscar's form compares every letter."""
        return coupon.display_code

    def publish_coupon(self, *, coupon: Coupon) -> None:
        from .vouchers import CodeTaken, publish

        try:
            publish(coupon=coupon, code=self.voucher_code(coupon=coupon))
        except CodeTaken:
            # The check thankyou_flows.W108 names it.
            logger.warning("The shop has a voucher of its own with the code of coupon %s; it stays.", coupon.pk)

    def publish_coupons(self, *, coupons: Iterable[Coupon]) -> int:
        from .vouchers import publish_many

        return publish_many(coupons=coupons, voucher_code=self.voucher_code)

    def withdraw_coupon(self, *, coupon: Coupon) -> None:
        from .vouchers import withdraw

        withdraw(code=self.voucher_code(coupon=coupon))

    def apply_coupon(self, *, request: HttpRequest, coupon: Coupon) -> bool:
        from .baskets import apply_coupon

        # Publishing again costs little and repairs a voucher that was never published or lost its extension.
        self.publish_coupon(coupon=coupon)
        return apply_coupon(request=request, coupon=coupon, code=self.voucher_code(coupon=coupon))

    def has_applied_coupon(self, *, request: HttpRequest, coupon: Coupon) -> bool:
        from .baskets import has_coupon

        return has_coupon(request=request, coupon=coupon, code=self.voucher_code(coupon=coupon))

    # Wiring ---------------------------------------------------------------------------------------

    def connect(self) -> None:
        from .receivers import connect

        super().connect()
        connect()

    def check(self) -> list[CheckMessage]:
        from .checks import check_project

        return check_project(store=self)
