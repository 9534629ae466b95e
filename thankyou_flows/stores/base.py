"""The door to the shop: the one class that a shop's adapter subclasses.

Everything this package knows of a shop comes through here, as the frozen values of ``thankyou_flows.values``. An
adapter needs three methods (``get_order``, ``owns_order``, ``get_products``); the rest has working defaults and is
announced by a capability flag. ``thankyou_flows.testing.StoreContractTests`` holds the tests that every adapter
should pass.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

from django.core.checks import CheckMessage

from . import publishing

if TYPE_CHECKING:
    from django.http import HttpRequest

    from coupons.models import Coupon

    from ..values import Order, Product


class Store(ABC):
    """A shop, seen from here. Adapters are built without arguments, once per call, and keep no state of their own."""

    #: Shown to developers in checks and logs.
    name: str = ""

    #: The layout of our pages in a project that has no ``base.html``. It must have the blocks ``title``, ``extra_head``
    #: and ``content``.
    base_template: str = ""
    #: The shop can put a product into the visitor's own basket (``add_to_basket``).
    can_add_to_basket: bool = False
    #: The shop has a discount engine of its own, to which our coupons are published (``publish_coupon``). Without it
    #: the shop's checkout asks ``coupons`` itself (quote, reserve, redeem).
    has_own_discounts: bool = False
    #: The shop can put a code on the visitor's next checkout without typing (``apply_coupon``).
    can_apply_coupons: bool = False

    # What every shop can answer -------------------------------------------------------------------

    @abstractmethod
    def get_order(self, *, number: str) -> Order | None:
        """Return the order with this number, or None if there is none.

        Called only after the visitor's right to see the order is settled. Should cost a fixed number of queries,
        whatever the number of lines (OP-7).
        """

    @abstractmethod
    def owns_order(self, *, user: Any, number: str) -> bool:
        """Tell whether this signed-in user placed the order with this number.

        An order without an owner belongs to nobody, never to "the other nobody" (TY-3). Costs the same for an unknown
        and for a foreign number (TY-2): one query that asks for both at once.
        """

    def get_owner(self, *, number: str) -> Any:
        """Return the user who was signed in when the order with this number was placed; None for a guest's or an unknown
        order, and for shops without accounts.

        What an account had saved and has now bought is counted with it. Should cost one query.
        """
        return None

    @abstractmethod
    def get_products(self, *, refs: Iterable[str]) -> dict[str, Product]:
        """Return the products with these references, as today's catalogue has them; unknown ones are left out."""

    # What a shop may offer beyond -----------------------------------------------------------------

    def get_categories(self) -> Sequence[tuple[str, str]]:
        """Return (reference, title) of the categories, for the rules in the page editor."""
        return ()

    def search_products(self, *, text: str = "", limit: int = 200) -> Sequence[tuple[str, str]]:
        """Return (reference, title) of products, for the rules in the page editor."""
        return ()

    def get_shop_url(self) -> str:
        """Return where "continue shopping" leads."""
        return "/"

    def add_to_basket(self, *, request: HttpRequest, product_ref: str, quantity: int = 1) -> bool:
        """Put a product into the visitor's basket; return whether it is in there now.

        Only called if ``can_add_to_basket``. Never more than the customer asked for, never what is not for sale.
        """
        return False

    def get_variant(self, *, product_ref: str, options: str) -> str | None:
        """Return the reference under which a basket knows a product in these options (a key of ``Product.choices``); None
        if there is no such thing.

        A shop whose variants are products of their own overrides it.
        """
        return None if options else product_ref

    def get_saved_refs(self, *, refs: Iterable[str]) -> set[str]:
        """Return the references under which products that were bought may have been saved before, theirs among them.

        A shop that sells variants and shows their parents adds those. Should cost one query at most.
        """
        return set(refs)

    def publish_coupon(self, *, coupon: Coupon) -> None:
        """Make the shop's own engine honour this coupon: its benefit, its limits, its deadline. Safe to repeat.

        Only called if ``has_own_discounts``: after a coupon was issued or unlocked, and again after its deadline was
        extended. Raises nothing that could be foreseen: it may be called in the middle of an order.
        """

    def publish_coupons(self, *, coupons: Iterable[Coupon]) -> int:
        """Do the same for many coupons, and return how many the shop's engine did not know before, or how many were
        published if that cannot be told.

        Only called if ``has_own_discounts``, by the command ``publish_coupons``. Override it if there is a quick way.
        """
        count = 0
        for coupon in coupons:
            self.publish_coupon(coupon=coupon)
            count += 1
        return count

    def withdraw_coupon(self, *, coupon: Coupon) -> None:
        """Make the shop's own engine refuse this coupon from now on. Safe to repeat."""

    def apply_coupon(self, *, request: HttpRequest, coupon: Coupon) -> bool:
        """Put the coupon on the visitor's next checkout; return whether it is on it now.

        Only called if ``can_apply_coupons``, and only after the visitor asked for it or has just earned it.
        """
        return False

    def has_applied_coupon(self, *, request: HttpRequest, coupon: Coupon) -> bool:
        """Tell whether the coupon is on the visitor's next checkout. Should cost no query where that can be."""
        return False

    def connect(self) -> None:
        """Connect to the shop's own signals. Called once, when Django has started; receivers must never raise.

        An adapter that overrides it calls ``super().connect()``: that keeps the coupons of a shop with
        ``has_own_discounts`` published.
        """
        if self.has_own_discounts:
            publishing.connect()

    def check(self) -> list[CheckMessage]:
        """Return what is wrong with the adapter's configuration, as system check messages with id and hint."""
        return []
