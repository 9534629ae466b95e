"""Things that move between what is saved, the cart, a wish list and a shop's own basket."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.http import HttpRequest
from django.test import Client, RequestFactory

from wishlists.accounts import AccountShelf
from wishlists.baskets import put_into_basket
from wishlists.catalog import ProductCard
from wishlists.checks import check_settings
from wishlists.kinds import CART, SAVED
from wishlists.lines import Line, Lines, key_text
from wishlists.lists import create_list
from wishlists.shelf import Shelf
from wishlists.signals import list_changed

from .catalogs import PRODUCTS, MemoryCatalog, euro
from .conftest import kept, put
from .visitors import JSON, Visitor, make_visitor, text


@pytest.fixture(params=["guest", "account"])
def visitor(request: pytest.FixtureRequest) -> Visitor:
    return make_visitor(request)


@pytest.fixture
def news(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[tuple[str, str, str, int]]]:
    heard: list[tuple[str, str, str, int]] = []

    def hear(**told: Any) -> None:
        heard.append((told["action"], told["kind"], told["product_ref"], told["quantity"]))

    # An account's news waits for the commit, which does not come in a test's transaction.
    monkeypatch.setattr("wishlists.views.answers.transaction", SimpleNamespace(on_commit=lambda send: send()))
    list_changed.connect(hear)
    yield heard
    list_changed.disconnect(hear)


# Moving ---------------------------------------------------------------------------------------------


def test_one_several_and_all_go_into_the_cart(visitor: Visitor, news: list[Any]):
    visitor.has(Line("tea", 2), Line("free"), Line("sku-1", 3), Line("sku-2"))
    visitor.post("/saved/move/", to="cart", product_ref="tea", options="")
    assert "In your cart: Sencha" in visitor.read()
    assert news == [("moved", SAVED, "tea", 0), ("moved", CART, "tea", 2)]
    items = [key_text(("free", "")), key_text(("sku-1", "")), "not a key", key_text(("pot", ""))]
    visitor.post("/saved/move/", to="cart", item=items)
    assert "In your cart: 2 products" in visitor.read()
    visitor.post("/saved/move/", to="cart", all="1")
    assert visitor.keeps() == []
    assert visitor.keeps(CART) == [("tea", 2), ("free", 1), ("sku-1", 3), ("sku-2", 1)]


def test_what_stays_is_named_with_its_reason(visitor: Visitor):
    visitor.has(Line("tea", 2), Line("cup"), Line("unknown"), Line("pot", 9))
    response = visitor.post("/saved/move/", to="cart", all="1")
    page = text(response)
    assert response.status_code == 200
    assert "<strong>Yunomi &lt;b&gt;</strong> It cannot be ordered at the moment." in page
    assert "It is no longer sold." in page
    assert "<strong>Kyusu</strong> Only 3 left" in page
    assert visitor.keeps() == [("cup", 1), ("unknown", 1)]
    assert visitor.keeps(CART) == [("tea", 2), ("pot", 3)]
    nothing = visitor.post("/saved/move/", JSON, to="cart", all="1")
    assert nothing.status_code == 422
    assert nothing.json()["stayed"] == [["cup", "", "unavailable"], ["unknown", "", "gone"]]


def test_more_than_is_in_stock_is_cut_and_said(visitor: Visitor):
    visitor.has(Line("pot", 9))
    visitor.post("/saved/move/", to="cart", product_ref="pot")
    assert "Only 3 of “Kyusu” left" in visitor.read()
    assert visitor.keeps(CART) == [("pot", 3)]


def test_nothing_selected_is_said(visitor: Visitor):
    visitor.has(Line("tea"))
    response = visitor.post("/saved/move/", to="cart")
    assert (response.status_code, visitor.keeps()) == (422, [("tea", 1)])
    assert "Nothing was selected" in text(response)
    visitor.post("/saved/move/", to="cart", product_ref="pot")
    assert "was no longer on your list" in visitor.read()


def test_a_full_cart_takes_nothing_and_both_lists_stay(visitor: Visitor, site: Any):
    """CK-2."""
    site.THANKYOU_WISHLISTS = {**site.THANKYOU_WISHLISTS, "KINDS": {"cart": {"max_items": 1}}}
    visitor.has(Line("sku-1"), kind=CART)
    visitor.has(Line("tea", 2))
    response = visitor.post("/saved/move/", to="cart", product_ref="tea")
    assert response.status_code == 422
    assert "<strong>Sencha</strong> Your cart is full" in text(response)
    assert (visitor.keeps(), visitor.keeps(CART)) == ([("tea", 2)], [("sku-1", 1)])


def test_saved_things_go_on_a_wish_list_of_ones_own(member: Client, customer: User, django_user_model: type[User]):
    """SL-3: somebody else's, an unknown one and a guest's try are the same 404."""
    visitor = Visitor(member, customer)
    visitor.has(Line("tea", 2), Line("cup"))
    row = create_list(user=customer, name="Birthday")
    other = create_list(user=django_user_model.objects.create_user("other"), name="Birthday")
    visitor.post("/saved/move/", to=row.key, all="1")
    assert "On your wish list: 2 products" in visitor.read()
    assert [(item.product_ref, item.quantity) for item in row.items.all()] == [("tea", 2), ("cup", 1)]
    visitor.has(Line("free"))
    for to in (other.key, "x" * 22, "", "saved", "\0"):
        assert visitor.post("/saved/move/", to=to, all="1").status_code == 404
    assert Client().post("/saved/move/", {"to": row.key, "all": "1"}).status_code == 404
    assert visitor.keeps() == [("free", 1)]


# The cart's part ------------------------------------------------------------------------------------


def test_lines_of_the_cart_are_saved_one_and_all(visitor: Visitor):
    visitor.has(Line("tea", 2), Line("pot"), Line("free"), kind=CART)
    assert "Save all for later" in visitor.read("/cart/")
    response = visitor.post("/cart/save/", product_ref="pot", options="")
    assert response.headers["Location"] == "/cart/"
    page = visitor.read("/cart/")
    assert "Saved for later: Kyusu" in page
    assert "Saved for later (1)" in page
    visitor.post("/cart/save/", all="1")
    assert "Saved for later: 2 products" in visitor.read("/cart/")
    assert visitor.keeps() == [("pot", 1), ("tea", 2), ("free", 1)]
    assert visitor.keeps(CART) == []


def test_what_cannot_be_bought_is_shown_as_parked_and_parked_at_the_next_post(visitor: Visitor, news: list[Any]):
    """Issue 4: a GET changes nothing; the life of a parked line until it is in the cart again."""
    visitor.has(Line("tea", 2), Line("cup", 3), kind=CART)
    page = visitor.read("/cart/")
    assert page.index("Sencha") < page.index("Parked until available again") < page.index("Yunomi")
    assert "We keep it here until it is available again." in page
    assert 'name="park" value="1"' in page
    assert visitor.keeps(CART) == [("tea", 2), ("cup", 3)]
    visitor.post("/cart/change/", product_ref="tea", quantity="1", park="1")
    assert (visitor.keeps(CART), visitor.keeps()) == ([("tea", 1)], [("cup", 3)])
    assert ("moved", SAVED, "cup", 3) in news
    page = visitor.read("/cart/")
    assert "Parked until available again" in page
    assert 'name="park"' not in page
    MemoryCatalog.products = {**PRODUCTS, "cup": ProductCard(ref="cup", title="Yunomi", url="", price=euro(15))}
    assert "Available again" in visitor.read("/cart/")
    assert "Available again" in visitor.read("/saved/")
    response = visitor.post("/saved/move/", to="cart", product_ref="cup", next="/cart/")
    assert response.headers["Location"] == "/cart/"
    page = visitor.read("/cart/")
    assert "In your cart: Yunomi" in page
    assert "Available again" not in page
    assert (visitor.keeps(CART), visitor.keeps()) == ([("tea", 1), ("cup", 3)], [])


def test_something_parked_can_be_removed_on_the_cart_page(visitor: Visitor):
    visitor.has(Line("cup", 3, "", True))
    visitor.post("/saved/change/", product_ref="cup", quantity="0", next="/cart/")
    page = visitor.read("/cart/")
    assert "No longer saved: Yunomi" in page
    assert "Put it back" in page
    assert visitor.keeps() == []


def test_an_ordinary_post_does_not_ask_about_the_whole_cart(client: Client):
    """DESIGN §6: only the page that showed something as parked asks for the parking."""
    put(client, Line("tea", 2), Line("cup", 3))
    client.post("/cart/change/", {"product_ref": "tea", "quantity": "1"})
    assert MemoryCatalog.calls == [["tea"]]
    assert kept(client) == [("tea", 1), ("cup", 3)]


# A shop with a basket of its own --------------------------------------------------------------------

basket: list[tuple[str, int, str]] = []


def add_to_basket(*, request: HttpRequest, product_ref: str, quantity: int, options: str) -> bool:
    """The shop's."""
    if product_ref == "sku-1":
        raise RuntimeError("the basket is closed")
    basket.append((product_ref, quantity, options))
    return product_ref != "free"


OWN_BASKET = {
    "CATALOG": "tests.test_wishlists.catalogs.MemoryCatalog",
    "BASKET": "tests.test_wishlists.test_saved_moving.add_to_basket",
    "BASKET_URL": "/plain/",
    "KINDS": {"cart": {"is_on": False}},
}


@pytest.mark.django_db
def test_a_shops_own_basket_is_filled_instead_of_our_cart(
    visitor: Visitor, site: Any, caplog: pytest.LogCaptureFixture
):
    site.THANKYOU_WISHLISTS = OWN_BASKET
    caplog.set_level(logging.CRITICAL, logger="wishlists.baskets")
    basket.clear()
    visitor.has(Line("tea", 2, "100g"), Line("free"), Line("sku-1"), Line("cup"), Line("pot", 9))
    page = visitor.read()
    assert "Put all into the basket" in page
    assert 'href="/plain/">Your basket' in page
    assert "cart/" not in page
    assert "the cart" not in page
    response = visitor.post("/saved/move/", to="cart", all="1")
    assert response.status_code == 200
    assert basket == [("tea", 2, "100g"), ("free", 1, ""), ("pot", 3, "")]
    assert visitor.keeps() == [("free", 1), ("sku-1", 1), ("cup", 1)]
    assert text(response).count("It could not be added just now.") == 2
    assert "<strong>Kyusu</strong> Only 3 left" in text(response)
    visitor.has(Line("sku-2"))
    visitor.post("/saved/move/", to="cart", product_ref="sku-2")
    assert "In your basket: Thing 2" in visitor.read()


@pytest.mark.django_db
def test_a_second_click_puts_nothing_into_the_shops_basket_again(customer: User, site: Any, rf: RequestFactory):
    """SL-1: both have read the same list; the second sees what the first has moved before it asks the basket."""
    site.THANKYOU_WISHLISTS = OWN_BASKET
    basket.clear()
    cards = MemoryCatalog().get_products(refs=["tea"])
    shelves = []
    for _click in range(2):
        request = rf.post("/saved/move/")
        request.user = customer
        shelves.append((request, Shelf(request)))
    AccountShelf(customer).save(Lines((Line("tea", 2),), SAVED), cards=cards)
    assert all(shelf.get(SAVED) for _request, shelf in shelves)
    for request, shelf in shelves:
        put_into_basket(request=request, shelf=shelf, keys=[("tea", "")], cards=cards)
    assert basket == [("tea", 2, "")]


def test_the_address_of_the_basket_is_checked(site: Any):
    site.THANKYOU_WISHLISTS = {**OWN_BASKET, "BASKET_URL": "no:such"}
    assert [error.id for error in check_settings()] == ["thankyou_wishlists.E006"]


def test_without_cart_and_basket_nothing_is_put_anywhere(visitor: Visitor, site: Any):
    site.THANKYOU_WISHLISTS = {**OWN_BASKET, "BASKET": None, "BASKET_URL": ""}
    visitor.has(Line("tea"))
    page = visitor.read()
    assert "Put " not in page.replace("Put on a wish list", "")
    for to in ("/saved/move/", "/cart/save/", "/cart/add/", "/cart/change/"):
        assert visitor.post(to, to="cart", all="1").status_code == 404
    assert visitor.client.get("/cart/").status_code == 404
