"""Saving for later as customers meet it: the page, its posts, the cart's part in it, and the heart."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterable, Iterator
from types import SimpleNamespace
from typing import Any

import pytest
from django.contrib.auth.models import Group, User
from django.http import HttpRequest
from django.template import Context, Template
from django.test import Client
from djmoney.money import Money

from wishlists.accounts import AccountShelf
from wishlists.catalog import ProductCard
from wishlists.checks import check_settings
from wishlists.kinds import CART, SAVED, WISH
from wishlists.lines import Line, Lines, key_text
from wishlists.lists import create_list
from wishlists.models import ListItem
from wishlists.signals import list_changed

from .catalogs import PRODUCTS, DatabaseCatalog, MemoryCatalog, euro
from .conftest import kept, put

JSON = {"accept": "application/json"}


class Visitor:
    """A browser with its lists, of a guest or an account: the tests ask both the same."""

    def __init__(self, client: Client, user: User | None = None) -> None:
        self.client, self.user = client, user

    def has(self, *lines: Line, kind: str = SAVED) -> None:
        if self.user is None:
            put(self.client, *lines, kind=kind)
        else:
            AccountShelf(self.user).save(Lines(lines, kind), cards=PRODUCTS, is_limited=False)

    def keeps(self, kind: str = SAVED) -> list[tuple[str, int]]:
        if self.user is None:
            return kept(self.client, kind)
        return [(line.product_ref, line.quantity) for line in AccountShelf(self.user).get(kind)]

    def post(self, url: str, headers: dict[str, str] | None = None, /, **fields: Any) -> Any:
        return self.client.post(url, fields, headers=headers or {})

    def read(self, to: str = "/saved/") -> str:
        return text(self.client.get(to))


@pytest.fixture(params=["guest", "account"])
def visitor(request: pytest.FixtureRequest) -> Visitor:
    if request.param == "guest":
        return Visitor(Client())
    customer = request.getfixturevalue("customer")
    return Visitor(request.getfixturevalue("member"), customer)


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


def text(response: Any) -> str:
    return " ".join(response.content.decode().split())


# Saving from a product's page -----------------------------------------------------------------------


def test_saving_leads_to_the_list_with_the_plain_words(visitor: Visitor):
    """Issue 4: where the customer first saves something, the shop says where it is kept."""
    response = visitor.post("/saved/add/", product_ref="tea", options="100g")
    assert (response.status_code, response.headers["Location"]) == (303, "/saved/")
    page = visitor.read()
    assert "<p>Saved for later: Sencha</p>" in page
    assert "100g" in page
    words = "Kept in a cookie on this device; nobody else sees it, we do not either."
    assert (words in page) == (visitor.user is None)
    assert ("Kept in your account." in page) == (visitor.user is not None)
    assert visitor.keeps() == [("tea", 1)]


def test_next_brings_back_with_the_message_as_target(visitor: Visitor):
    """CK-7: the page there may be cached, so the message is there already and shows itself."""
    response = visitor.post("/saved/add/", product_ref="tea", next="/plain/?page=2")
    assert response.headers["Location"] == "/plain/?page=2#ty-saved-tea"
    assert "cart_note" not in response.cookies
    assert visitor.post("/saved/add/", product_ref="tea", next="//evil.example").headers["Location"] == "/saved/"


def test_saving_twice_is_saving_once_and_removing_twice_too(visitor: Visitor, news: list[Any]):
    for _time in range(2):
        visitor.post("/saved/add/", product_ref="tea")
    assert visitor.keeps() == [("tea", 1)]
    for _time in range(2):
        assert visitor.post("/saved/add/", product_ref="tea", action="remove").status_code == 303
    assert visitor.keeps() == []
    assert news == [("added", SAVED, "tea", 1)] * 2 + [("removed", SAVED, "tea", 0)]


def test_the_script_gets_json_and_the_words_once(visitor: Visitor):
    first = visitor.post("/saved/add/", JSON, product_ref="tea").json()
    where = "Kept in your account." if visitor.user else "Kept in a cookie on this device; nobody else sees it"
    assert where in first["message"]
    assert first["state"]["saved"] == [["tea", ""]]
    second = visitor.post("/saved/add/", JSON, product_ref="cup").json()
    assert second["message"] == "Saved for later: Yunomi <b>", "what cannot be bought now can be saved"
    gone = visitor.post("/saved/add/", JSON, product_ref="tea", action="remove").json()
    assert (gone["message"], gone["state"]["saved"]) == ("No longer saved: Sencha", [["cup", ""]])


@pytest.mark.parametrize("ref", ["unknown", "", "x" * 129, "a\0b", "\u202e"])
def test_what_is_no_product_is_not_saved(visitor: Visitor, ref: str):
    """CK-3."""
    assert visitor.post("/saved/add/", product_ref=ref).status_code == 303
    assert "not in the shop any more" in visitor.read()
    assert visitor.post("/saved/add/", JSON, product_ref=ref).status_code == 422
    assert visitor.keeps() == []


def test_a_full_list_says_so_and_stays(visitor: Visitor, site: Any):
    """CK-2, SL-6."""
    visitor.has(Line("tea"))
    site.THANKYOU_WISHLISTS = {**site.THANKYOU_WISHLISTS, "KINDS": {"saved": {"max_items": 1}}}
    response = visitor.post("/saved/add/", product_ref="pot", next="/plain/")
    assert response.status_code == 422
    assert "This list is full: it holds up to 1 products" in text(response)
    assert visitor.post("/saved/add/", JSON, product_ref="pot").status_code == 422
    assert visitor.keeps() == [("tea", 1)]


# The page -------------------------------------------------------------------------------------------


def test_the_page_shows_todays_facts_and_what_came_back_first(visitor: Visitor):
    """CK-4, SL-6, issue 4."""
    visitor.has(
        Line("tea", 2),
        Line("cup"),
        Line("unknown"),
        Line("pot", 5, "red"),
        Line("free", 1, "", True),
        Line("none", 1, "", True),
    )
    page = visitor.read()
    assert page.index("Sample") < page.index("Sold") < page.index("Kyusu") < page.index("Yunomi &lt;b&gt;")
    assert page.index("Yunomi") < page.index("Sencha")
    assert page.count("Available again") == 1
    assert page.count("We keep it here until it is available again.") == 2
    assert "It is no longer sold." in page
    assert "Only 3 left." in page
    assert "€12.50" in page
    assert "Put back into the cart" in page
    assert page.count('type="checkbox"') == 3
    assert len(MemoryCatalog.calls) == 1
    assert "csrfmiddlewaretoken" not in page


def test_the_empty_page_says_what_belongs_here(visitor: Visitor):
    page = visitor.read()
    assert "Nothing is saved yet" in page
    assert "Put all" not in page


def test_the_page_is_private(visitor: Visitor):
    """CK-7."""
    response = visitor.client.get("/saved/")
    assert "no-store" in response.headers["Cache-Control"]
    assert response.headers["X-Robots-Tag"] == "noindex"


def test_products_that_left_the_shop_keep_their_title_in_an_account(member: Client, customer: User):
    """Issue 4; a guest's cookie has none (CK-1)."""
    Visitor(member, customer).has(Line("tea"))
    MemoryCatalog.products = {}
    page = text(member.get("/saved/"))
    assert "Sencha" in page
    assert "It is no longer sold." in page


class Prices(MemoryCatalog):
    lowest: dict[str, Money] = {}  # noqa: RUF012

    def get_lowest_prices(self, *, refs: Iterable[str], days: int = 30) -> dict[str, Money]:
        return self.lowest


@pytest.mark.parametrize(
    ("then", "lowest", "said"),
    [
        (euro(15), None, True),
        (euro(15), euro("12.50"), True),
        (euro(15), euro(12), False),
        (euro(15), Money(20, "USD"), False),
        (euro("12.50"), None, False),
        (Money(99, "USD"), None, False),
        (None, None, False),
    ],
)
def test_a_lower_price_is_said_only_where_it_is_a_reduction(
    member: Client, customer: User, site: Any, then: Money | None, lowest: Money | None, said: bool
):
    """CD-8: not if it cost less within the last 30 days; never across currencies."""
    site.THANKYOU_WISHLISTS = {"CATALOG": "tests.test_wishlists.test_saved.Prices"}
    Prices.lowest = {"tea": lowest} if lowest else {}
    Visitor(member, customer).has(Line("tea"))
    ListItem.objects.update(price=then, price_currency=then.currency if then else None)
    assert ("€2.50 less than when you saved it" in text(member.get("/saved/"))) == said


# Changing -------------------------------------------------------------------------------------------


def test_a_quantity_is_changed_and_a_line_removed_and_put_back(visitor: Visitor):
    """AX-7: forms only."""
    visitor.has(Line("tea", 2), Line("cup"))
    visitor.post("/saved/change/", product_ref="tea", quantity="5")
    assert "Sencha: quantity changed to 5." in visitor.read()
    visitor.post("/saved/change/", product_ref="tea", quantity="0")
    page = visitor.read()
    assert "No longer saved: Sencha" in page
    assert "Put it back" in page
    assert 'name="quantity" value="5"' in page
    assert visitor.keeps() == [("cup", 1)]
    visitor.post("/saved/add/", product_ref="tea", options="", quantity="5")
    assert visitor.keeps() == [("cup", 1), ("tea", 5)]


@pytest.mark.parametrize("quantity", ["", "-1", "100", "abc"])
def test_a_wrong_quantity_is_said_in_its_line(visitor: Visitor, quantity: str):
    """AX-3."""
    visitor.has(Line("tea", 2), Line("pot"))
    response = visitor.post("/saved/change/", product_ref="tea", quantity=quantity)
    page = text(response)
    assert response.status_code == 422
    assert page.count('aria-invalid="true"') == 1
    assert 'id="ty-tea-quantity_error"' in page
    assert '<details class="ty-more" open>' in page
    assert visitor.post("/saved/change/", JSON, product_ref="tea", quantity=quantity).status_code == 422
    assert visitor.keeps() == [("tea", 2), ("pot", 1)]


def test_a_line_removed_in_another_tab_does_not_come_back(visitor: Visitor):
    visitor.post("/saved/change/", product_ref="tea", quantity="4")
    assert "“Sencha” was no longer on your list" in visitor.read()
    assert visitor.keeps() == []


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
    "BASKET": "tests.test_wishlists.test_saved.add_to_basket",
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


def test_where_saving_is_off_there_is_no_page_and_no_button(visitor: Visitor, site: Any):
    visitor.has(Line("tea"), kind=CART)
    site.THANKYOU_WISHLISTS = {**site.THANKYOU_WISHLISTS, "KINDS": {"saved": {"is_on": False}}}
    assert visitor.client.get("/saved/").status_code == 404
    for to in ("/saved/add/", "/saved/change/", "/saved/move/", "/cart/save/"):
        assert visitor.post(to, product_ref="tea").status_code == 404
    assert "Save for later" not in visitor.read("/cart/")
    assert heart().strip() == ""


# The heart ------------------------------------------------------------------------------------------


def heart(arguments: str = '"tea" title="Sencha" next="/plain/"') -> str:
    return Template(f"{{% load thankyou_wishlists %}}{{% save_button {arguments} %}}").render(Context())


def test_the_heart_is_a_plain_form_that_says_nothing_about_the_visitor(visitor: Visitor):
    """CK-7, AX-7: the page can be cached; a script asks for the state, and sets aria-pressed."""
    visitor.has(Line("tea"))
    html = " ".join(heart().split())
    assert 'method="post" action="/saved/add/"' in html
    assert 'name="product_ref" value="tea"' in html
    assert 'name="action" value="add"' in html
    assert "aria-pressed" not in html
    assert 'id="ty-saved-tea" hidden' in html
    assert 'data-url="/lists/state/"' in html
    assert ": Sencha</span>" in html
    response = visitor.client.get("/plain/")
    assert "Vary" not in response.headers or "Cookie" not in response.headers["Vary"]


@pytest.mark.parametrize("ref", ['"><script>', "é", "\u202e", "a b"])
def test_any_reference_is_written_safely(ref: str):
    html = Template("{% load thankyou_wishlists %}{% save_button ref %}").render(Context({"ref": ref}))
    assert "<script>" not in html


# What it costs (DESIGN §6) --------------------------------------------------------------------------


class FullCatalog(DatabaseCatalog):
    """With options of its own, named by one more query."""

    def get_option_titles(self, *, keys: Iterable[tuple[str, str]]) -> dict[tuple[str, str], str]:
        titles = {str(row.pk): row.name for row in Group.objects.all()[:200]}
        return {key: f"{titles[key[0]]} in blue" for key in keys}


@pytest.fixture
def rows(site: Any, db: None) -> list[str]:
    """A hundred products that are rows."""
    site.THANKYOU_WISHLISTS = {"CATALOG": "tests.test_wishlists.test_saved.FullCatalog"}
    return [str(Group.objects.create(name=f"Thing {number}").pk) for number in range(100)]


@pytest.mark.parametrize("lines", [1, 20, 100])
def test_a_guests_page_costs_one_query_and_saving_none_that_writes(
    client: Client, rows: list[str], lines: int, django_assert_num_queries: Any
):
    put(client, *(Line(ref) for ref in rows[:lines]), kind=SAVED)
    with django_assert_num_queries(1):
        assert client.get("/saved/").status_code == 200
    with django_assert_num_queries(1):
        assert client.post("/saved/add/", {"product_ref": rows[0]}).status_code == 303
    with django_assert_num_queries(0):
        assert client.post("/saved/change/", {"product_ref": rows[0], "quantity": "2"}).status_code == 303
    with django_assert_num_queries(1):
        assert client.post("/saved/move/", {"product_ref": rows[0], "to": "cart"}).status_code == 303
    with django_assert_num_queries(1):
        assert client.get("/cart/").status_code == 200


@pytest.mark.parametrize("lines", [1, 20, 100])
def test_an_accounts_page_costs_five_queries(
    member: Client, customer: User, rows: list[str], lines: int, django_assert_num_queries: Any
):
    """Session, user, items, products, names of options: the same for one and for a hundred."""
    saved = [Line(ref, 1, "blue") for ref in rows[:lines]]
    AccountShelf(customer).save(Lines(tuple(saved), SAVED), is_limited=False)
    with django_assert_num_queries(5):
        page = text(member.get("/saved/"))
    assert f"Thing {lines - 1} in blue" in page
    with django_assert_num_queries(3):
        assert member.get("/cart/").status_code == 200


@pytest.mark.parametrize(("url", "method"), [("/saved/add/", "get"), ("/saved/move/", "get"), ("/saved/", "post")])
def test_get_changes_nothing_and_post_shows_nothing(client: Client, url: str, method: str):
    assert getattr(client, method)(url).status_code == 405


def test_nothing_of_an_account_is_left_after_logging_out(member: Client, customer: User):
    """SL-2."""
    visitor = Visitor(member, customer)
    visitor.post("/saved/add/", product_ref="tea")
    member.logout()
    assert "Nothing is saved yet" in text(member.get("/saved/"))
    assert "cart_saved" not in member.cookies
    assert WISH not in json.dumps(member.get("/lists/state/").json()["counts"])
