"""A shop in memory: for tests, and for a project that has not connected its shop yet."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any, ClassVar

from django.contrib.auth import get_user_model

from .base import Store

if TYPE_CHECKING:
    from django.http import HttpRequest

    from coupons.models import Coupon

    from ..values import Order, Product


class DummyStore(Store):
    """Holds what it is given and records what it is asked. State lives on the class; :meth:`reset` empties it.

    Subclass it in a test to have a state of your own.
    """

    name = "dummy"
    can_add_to_basket = True
    has_own_discounts = True
    can_apply_coupons = True

    orders: ClassVar[dict[str, Order]] = {}
    owners: ClassVar[dict[str, Any]] = {}
    products: ClassVar[dict[str, Product]] = {}
    categories: ClassVar[list[tuple[str, str]]] = []
    #: What was asked of the store, oldest first: (method, arguments).
    calls: ClassVar[list[tuple[str, dict[str, Any]]]] = []

    @classmethod
    def reset(cls) -> None:
        """Forget everything."""
        for collection in (cls.orders, cls.owners, cls.products, cls.categories, cls.calls):
            collection.clear()

    @classmethod
    def add_order(cls, order: Order, *, owner: Any = None) -> Order:
        """Put an order into the shop; ``owner`` is the signed-in user who placed it, if any."""
        cls.orders[order.number] = order
        cls.owners[order.number] = getattr(owner, "pk", None)
        return order

    def _record(self, method: str, **arguments: Any) -> None:
        self.calls.append((method, arguments))

    def get_order(self, *, number: str) -> Order | None:
        self._record("get_order", number=number)
        return self.orders.get(number)

    def owns_order(self, *, user: Any, number: str) -> bool:
        self._record("owns_order", user=user, number=number)
        owner = self.owners.get(number)
        return owner is not None and owner == getattr(user, "pk", None)

    def get_owner(self, *, number: str) -> Any:
        self._record("get_owner", number=number)
        pk = self.owners.get(number)
        return None if pk is None else get_user_model()._default_manager.filter(pk=pk).first()

    def get_products(self, *, refs: Iterable[str]) -> dict[str, Product]:
        refs = list(refs)
        self._record("get_products", refs=refs)
        return {ref: self.products[ref] for ref in refs if ref in self.products}

    def get_categories(self) -> Sequence[tuple[str, str]]:
        return list(self.categories)

    def search_products(self, *, text: str = "", limit: int = 200) -> Sequence[tuple[str, str]]:
        found = [(p.ref, p.title) for p in self.products.values() if text.lower() in p.title.lower()]
        return found[:limit]

    def add_to_basket(self, *, request: HttpRequest, product_ref: str, quantity: int = 1) -> bool:
        self._record("add_to_basket", product_ref=product_ref, quantity=quantity)
        product = self.products.get(product_ref)
        return product is not None and product.available

    def publish_coupon(self, *, coupon: Coupon) -> None:
        self._record("publish_coupon", code=coupon.code, ends_at=coupon.ends_at)

    def withdraw_coupon(self, *, coupon: Coupon) -> None:
        self._record("withdraw_coupon", code=coupon.code)

    def apply_coupon(self, *, request: HttpRequest, coupon: Coupon) -> bool:
        self._record("apply_coupon", code=coupon.code)
        return True

    def has_applied_coupon(self, *, request: HttpRequest, coupon: Coupon) -> bool:
        return any(method == "apply_coupon" and arguments["code"] == coupon.code for method, arguments in self.calls)
