"""The shop behind the seam of ``thankyou_flows``."""

from __future__ import annotations

from collections.abc import Callable
from types import SimpleNamespace

import pytest
from django.contrib.auth.models import AnonymousUser
from django.test import RequestFactory
from djmoney.money import Money

from coupons.models import Coupon
from coupons.staging import staged
from example_site.shop.models import Order, OrderLine, Product
from example_site.shop.store import ExampleStore
from thankyou_flows.values import OrderState
from wishlists.exceptions import TooFast
from wishlists.lines import Lines

store = ExampleStore()


def test_an_order_as_a_value(make_order: Callable[..., Order], tea: Product) -> None:
    order = make_order(quantity=2)
    value = store.get_order(number=order.number)
    assert value is not None
    assert value.state == OrderState.PLACED
    assert (value.subtotal, value.shipping, value.total) == (
        Money(20, "EUR"),
        Money("4.90", "EUR"),
        Money("24.90", "EUR"),
    )
    assert value.first_name == "Ada"
    assert value.shipping_address.country == "DE"
    (line,) = value.lines
    assert (line.product_ref, line.quantity, line.url, line.category_refs) == ("T-1", 2, "/tea/t-1/", ("tea",))
    assert value.delivery_from <= value.delivery_until


@pytest.mark.parametrize("number", ["KF-99999", "", "KF-1\x00", "x" * 500])
def test_an_unknown_order(db: None, number: str) -> None:
    assert store.get_order(number=number) is None
    assert store.owns_order(user=SimpleNamespace(pk=1), number=number) is False


def test_an_order_costs_the_same_whatever_its_lines(
    make_order: Callable[..., Order], make_product: Callable[..., Product], django_assert_num_queries
) -> None:
    """OP-7."""
    order = make_order()
    store.get_order(number=order.number)  # where the sites begin is cached from now on
    with django_assert_num_queries(3):
        store.get_order(number=order.number)
    for number in range(2, 21):
        product = make_product(f"T-{number}")
        OrderLine.objects.create(
            order=order,
            product_ref=product.sku,
            title=product.title,
            quantity=1,
            unit_price=product.price,
            total=product.price,
        )
    with django_assert_num_queries(3):
        assert len(store.get_order(number=order.number).lines) == 20


def test_nobody_owns_nobodys_order(
    make_order: Callable[..., Order], django_user_model, django_assert_num_queries
) -> None:
    """TY-3: None == None is never ownership. TY-2: unknown and foreign cost the same."""
    ada, eve = (django_user_model.objects.create_user(f"{n}@example.com", password="pw") for n in ("ada", "eve"))
    guest, adas = make_order(), make_order(user=ada)
    for nobody in (None, AnonymousUser(), SimpleNamespace(pk=None)):
        assert store.owns_order(user=nobody, number=guest.number) is False
        assert store.owns_order(user=nobody, number=adas.number) is False
    assert store.owns_order(user=ada, number=adas.number) is True
    assert store.owns_order(user=ada, number=guest.number) is False
    with django_assert_num_queries(1):
        assert store.owns_order(user=eve, number=adas.number) is False
    with django_assert_num_queries(1):
        assert store.owns_order(user=eve, number="KF-99999") is False


def test_products_in_one_query(make_product: Callable[..., Product], django_assert_num_queries) -> None:
    for number in range(1, 21):
        make_product(f"T-{number}", stock=number)
    store.get_products(refs=["T-1"])  # where the sites begin is cached from now on
    with django_assert_num_queries(1):
        found = store.get_products(refs=[f"T-{number}" for number in range(1, 22)] + ["\x00"])
    assert len(found) == 20
    assert found["T-3"].url == "/tea/t-3/"
    assert found["T-3"].max_quantity == 3
    with django_assert_num_queries(0):
        assert store.get_products(refs=[]) == {}


def test_sold_out_is_not_available(make_product: Callable[..., Product]) -> None:
    make_product("T-1", stock=0)
    assert store.get_products(refs=["T-1"])["T-1"].available is False


def test_rules_can_name_products_and_categories(tea: Product) -> None:
    assert store.get_categories() == [("tea", "Tea")]
    assert store.search_products(text="t-1") == [("T-1", "Tea T-1")]
    assert store.search_products(text="coffee") == []


class _Shelf:
    def __init__(self) -> None:
        self.cart = Lines()

    def save(self, cart: Lines) -> None:
        self.cart = cart


def test_adding_to_the_cart_never_goes_beyond_stock(make_product: Callable[..., Product], rf: RequestFactory) -> None:
    make_product("T-1", stock=2)
    make_product("T-2", stock=0)
    request = rf.post("/")
    request.lists = _Shelf()
    assert store.add_to_basket(request=request, product_ref="T-1", quantity=5) is True
    assert request.lists.cart.count == 2
    assert store.add_to_basket(request=request, product_ref="T-1") is True
    assert request.lists.cart.count == 2
    assert store.add_to_basket(request=request, product_ref="T-2") is False
    assert store.add_to_basket(request=request, product_ref="unknown") is False


def test_a_coupon_is_put_on_the_next_checkout(make_coupon: Callable[..., Coupon], rf: RequestFactory) -> None:
    coupon = make_coupon()
    request = rf.post("/")
    request.session = {}
    assert store.has_applied_coupon(request=request, coupon=coupon) is False
    assert store.apply_coupon(request=request, coupon=coupon) is True
    assert staged(request.session) == [coupon.code]
    assert store.has_applied_coupon(request=request, coupon=coupon) is True


def test_a_basket_that_takes_no_more_now_says_no(tea: Product, rf: RequestFactory) -> None:
    """SL-6: an account that adds faster than people do gets an answer, not an error."""

    class Refusing(_Shelf):
        def save(self, lines: Lines) -> None:
            raise TooFast

    request = rf.post("/")
    request.lists = Refusing()
    assert store.add_to_basket(request=request, product_ref="T-1") is False
