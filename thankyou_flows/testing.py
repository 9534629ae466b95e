"""Contract tests for store adapters: what this package relies on, whatever the shop is.

Subclass :class:`StoreContractTests` in your tests, tell it how to make things in your shop, and run it with pytest
(``@pytest.mark.django_db`` on the class) or together with ``django.test.TestCase``::

    @pytest.mark.django_db
    class TestMyStoreContract(StoreContractTests):
        store = MyStore()

        def make_product(self): ...
        def make_user(self): ...
        def make_order(self, *, lines=2, user=None, email=""): ...
"""

from __future__ import annotations

import dataclasses
import uuid
from collections.abc import Callable
from datetime import timedelta
from functools import partial
from typing import Any

from django.contrib.auth.models import AnonymousUser
from django.contrib.sessions.backends.signed_cookies import SessionStore
from django.core.checks import CheckMessage
from django.db import connection
from django.http import HttpRequest
from django.test import RequestFactory
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from djmoney.money import Money

from coupons.models import Campaign, Coupon

from .stores import Store
from .values import Order, OrderState, Product

__all__ = ["MARKER_EMAIL", "StoreContractTests"]

#: An address that no shop has by itself: it must not be found in what the limited view gets.
MARKER_EMAIL = "marker.person@contract.example"


class StoreContractTests:
    """The tests. Needs ``store`` and the three ``make_*`` hooks; the other hooks have defaults."""

    #: The adapter under test.
    store: Store

    # Hooks ----------------------------------------------------------------------------------------

    def make_product(self) -> str:
        """Make one more product that can be bought, at a price, and return its reference."""
        raise NotImplementedError

    def make_user(self) -> Any:
        """Make one more user who can sign in, and return it."""
        raise NotImplementedError

    def make_order(self, *, lines: int = 2, user: Any = None, email: str = "") -> str:
        """Make one more order with this number of different products, and return its number.

        ``user`` is its owner; None makes a guest's order with this e-mail address.
        """
        raise NotImplementedError

    def make_request(self, *, user: Any = None) -> HttpRequest:
        """Return a request as the shop's middleware would leave it. Override it if the shop puts a basket on it."""
        request = RequestFactory().get("/")
        request.user = user or AnonymousUser()
        request.session = SessionStore()
        return request

    def make_coupon(self) -> Coupon:
        """Make one more coupon for free shipping, with a deadline in an hour."""
        campaign = Campaign.objects.create(
            title="Contract",
            status=Campaign.Status.RUNNING,
            benefit=Campaign.Benefit.FREE_SHIPPING,
            deadline_minutes=60,
        )
        return Coupon.objects.create(
            campaign=campaign, deadline_minutes=60, ends_at=timezone.now() + timedelta(minutes=60)
        )

    # Orders ---------------------------------------------------------------------------------------

    def test_an_unknown_order_is_none(self) -> None:
        for number in ("", "0", "no-such-order", "9" * 40, "'; --", "\N{SNOWMAN}"):
            assert self.store.get_order(number=number) is None, number

    def test_an_order_is_found_by_its_number(self) -> None:
        number = self.make_order(lines=3)
        order = self._order(number)
        assert isinstance(order, Order)
        assert order.number == number
        assert isinstance(order.number, str)
        assert len(order.lines) == 3
        assert order.placed_at.tzinfo is not None, "placed_at must be an aware datetime"
        assert OrderState(order.state) in OrderState

    def test_the_amounts_of_an_order_add_up(self) -> None:
        """CO-4: what the customer reads can be added up by hand."""
        order = self._order(self.make_order(lines=3))
        nothing = Money(0, order.currency)
        amounts = [order.subtotal, order.shipping, order.total, *(line.total for line in order.lines)]
        assert all(isinstance(amount, Money) for amount in amounts)
        assert {str(amount.currency) for amount in amounts} == {order.currency}
        assert sum((line.total for line in order.lines), nothing) == order.subtotal
        assert order.subtotal - (order.discount or nothing) + order.shipping == order.total
        assert order.discount is None or order.discount > nothing
        assert order.total >= nothing

    def test_the_products_of_an_order_are_those_of_the_catalogue(self) -> None:
        order = self._order(self.make_order(lines=2))
        refs = {line.product_ref for line in order.lines}
        assert len(refs) == 2
        assert set(self.store.get_products(refs=refs)) == refs

    def test_reading_an_order_costs_the_same_for_any_number_of_lines(self) -> None:
        """OP-7."""
        small, large = self.make_order(lines=1), self.make_order(lines=20)
        # The first call may fill caches of Django's own (content types, sites).
        self._order(small)
        assert self._queries(lambda: self._order(large)) == self._queries(lambda: self._order(small))

    def test_the_limited_view_has_no_personal_data(self) -> None:
        """TY-1: somebody with only a link sees items, state and totals."""
        order = self._order(self.make_order(lines=1, email=MARKER_EMAIL))
        assert order.email == MARKER_EMAIL
        limited = order.without_personal_data()
        assert MARKER_EMAIL not in repr(dataclasses.asdict(limited))
        assert limited.shipping_address is None
        assert limited.billing_address is None
        assert [line.title for line in limited.lines] == [line.title for line in order.lines]
        assert limited.total == order.total

    # Ownership ------------------------------------------------------------------------------------

    def test_an_owner_owns_the_order_and_nobody_else_does(self) -> None:
        """TY-3."""
        owner, other = self.make_user(), self.make_user()
        number = self.make_order(user=owner)
        assert self.store.owns_order(user=owner, number=number) is True
        assert self.store.owns_order(user=other, number=number) is False
        assert self.store.owns_order(user=AnonymousUser(), number=number) is False
        assert self.store.owns_order(user=None, number=number) is False

    def test_a_guests_order_is_nobodys(self) -> None:
        """TY-3: None is not None's owner."""
        number = self.make_order(email=MARKER_EMAIL)
        for user in (self.make_user(), AnonymousUser(), None):
            assert self.store.owns_order(user=user, number=number) is False

    def test_an_unknown_order_is_nobodys(self) -> None:
        for user in (self.make_user(), AnonymousUser(), None):
            assert self.store.owns_order(user=user, number="no-such-order") is False

    def test_the_owner_of_an_order_is_known_where_the_shop_knows_it(self) -> None:
        """A shop may answer None always; it never names somebody else."""
        owner = self.make_user()
        number, guests = self.make_order(user=owner), self.make_order(email=MARKER_EMAIL)
        assert self.store.get_owner(number=number) in (owner, None)
        assert self.store.get_owner(number=guests) is None
        assert self.store.get_owner(number="no-such-order") is None

    def test_asking_for_the_owner_costs_the_same_for_unknown_and_foreign_orders(self) -> None:
        """TY-2: nobody can tell by the time it takes whether an order exists."""
        number, stranger = self.make_order(user=self.make_user()), self.make_user()
        for user in (stranger, AnonymousUser(), None):
            foreign = self._queries(partial(self.store.owns_order, user=user, number=number))
            unknown = self._queries(partial(self.store.owns_order, user=user, number="no-such-order"))
            assert foreign == unknown <= 1

    # Catalogue ------------------------------------------------------------------------------------

    def test_products_are_found_and_unknown_ones_left_out(self) -> None:
        known = [self.make_product(), self.make_product()]
        strange = ["", "0", "no-such-product", "9" * 40, " 1", "\N{SNOWMAN}", str(uuid.uuid4())]
        products = self.store.get_products(refs=[*known, *strange])
        assert set(products) == set(known)
        for ref, product in products.items():
            assert isinstance(product, Product)
            assert product.ref == ref
            assert product.title
            assert product.available
            assert isinstance(product.price, Money)
        assert self.store.get_products(refs=[]) == {}

    def test_reading_products_costs_the_same_for_any_number(self) -> None:
        refs = [self.make_product() for _ in range(20)]
        self.store.get_products(refs=refs[:1])
        few = self._queries(lambda: self.store.get_products(refs=refs[:1]))
        assert self._queries(lambda: self.store.get_products(refs=refs)) == few

    def test_lists_for_the_page_editor_are_pairs_of_text(self) -> None:
        self.make_product()
        for pairs in (
            self.store.get_categories(),
            self.store.search_products(),
            self.store.search_products(text="zzz"),
        ):
            assert all(isinstance(ref, str) and str(title) for ref, title in pairs)
        assert len(self.store.search_products(limit=1)) <= 1

    def test_the_shop_has_a_front_door(self) -> None:
        assert self.store.get_shop_url().startswith(("/", "http://", "https://"))

    # Basket and coupons ---------------------------------------------------------------------------

    def test_products_can_be_put_into_the_basket(self) -> None:
        if not self.store.can_add_to_basket:
            return
        request = self.make_request()
        assert self.store.add_to_basket(request=request, product_ref=self.make_product(), quantity=2) is True
        assert self.store.add_to_basket(request=request, product_ref="no-such-product") is False

    def test_publishing_and_withdrawing_a_coupon_can_be_repeated(self) -> None:
        if not self.store.has_own_discounts:
            return
        coupon = self.make_coupon()
        self.store.publish_coupon(coupon=coupon)
        self.store.publish_coupon(coupon=coupon)
        coupon.ends_at = timezone.now() + timedelta(minutes=120)
        coupon.save()
        self.store.publish_coupon(coupon=coupon)
        self.store.withdraw_coupon(coupon=coupon)
        self.store.withdraw_coupon(coupon=coupon)

    def test_many_coupons_can_be_published_at_once(self) -> None:
        if not self.store.has_own_discounts:
            return
        coupons = [self.make_coupon() for _ in range(3)]
        assert self.store.publish_coupons(coupons=iter(coupons)) == 3
        self.store.publish_coupons(coupons=iter(coupons))
        assert self.store.publish_coupons(coupons=iter(())) == 0

    def test_a_coupon_that_was_never_published_can_be_withdrawn(self) -> None:
        if self.store.has_own_discounts:
            self.store.withdraw_coupon(coupon=self.make_coupon())

    def test_a_coupon_can_be_put_on_the_next_checkout(self) -> None:
        if not self.store.can_apply_coupons:
            return
        request, coupon = self.make_request(), self.make_coupon()
        assert self.store.has_applied_coupon(request=request, coupon=coupon) is False
        assert self.store.apply_coupon(request=request, coupon=coupon) is True
        assert self.store.has_applied_coupon(request=request, coupon=coupon) is True
        # A second click changes nothing.
        assert self.store.apply_coupon(request=request, coupon=coupon) is True

    # Configuration --------------------------------------------------------------------------------

    def test_the_check_returns_messages_with_id_and_hint(self) -> None:
        messages = self.store.check()
        assert isinstance(messages, list)
        for message in messages:
            assert isinstance(message, CheckMessage)
            assert message.id
            assert message.hint

    # Helpers --------------------------------------------------------------------------------------

    def _order(self, number: str) -> Order:
        order = self.store.get_order(number=number)
        assert order is not None, number
        return order

    def _queries(self, work: Callable[[], object]) -> int:
        with CaptureQueriesContext(connection) as queries:
            work()
        return len(queries)
