"""Saving for later as customers meet it: the page, its posts, and the heart."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import pytest
from django.contrib.auth.models import Group, User
from django.template import Context, Template
from django.test import Client
from djmoney.money import Money

from wishlists.accounts import AccountShelf
from wishlists.kinds import CART, SAVED, WISH
from wishlists.lines import Line, Lines, key_text
from wishlists.models import ListItem
from wishlists.signals import list_changed

from .catalogs import PRODUCTS, DatabaseCatalog, MemoryCatalog, euro
from .conftest import put
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


def test_taking_off_what_is_not_there_is_no_success(visitor: Visitor, news: list[Any]):
    """A page left open until the session ended: the account's list is as it was, and nobody claims otherwise."""
    visitor.has(Line("cup"))
    gone = visitor.post("/saved/add/", JSON, product_ref="tea", action="remove")
    words = "“Sencha” was not on your list here. If you were logged in before, log in again to see your account's list."
    if visitor.user is not None:
        words = "“Sencha” was no longer on your list, so nothing was changed."
    assert (gone.status_code, gone.json()["message"]) == (200, words)
    assert gone.json()["state"]["saved"] == [["cup", ""]]
    visitor.post("/saved/add/", product_ref="tea", action="remove", next="/plain/")
    page = visitor.read().replace("&#x27;", "'")
    assert words in page
    assert "No longer saved" not in page
    assert news == []


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
        (euro(15), euro("12.50"), False),
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
    assert page.count('class="ty-line-change"') == 1
    assert visitor.post("/saved/change/", JSON, product_ref="tea", quantity=quantity).status_code == 422
    assert visitor.keeps() == [("tea", 2), ("pot", 1)]


def test_a_line_opens_its_form_by_a_link_and_has_its_own_buttons(visitor: Visitor):
    """AX-7, DESIGN §6: one form for a hundred lines, and a field where it was asked for."""
    visitor.has(Line("tea", 2), Line("pot", 1, "red"))
    assert "/saved/?change=pot_2e_red#ty-pot_2e_red-quantity" in visitor.read()
    page = visitor.read("/saved/?change=pot_2e_red")
    assert page.count('class="ty-line-change"') == 1
    assert 'id="ty-pot_2e_red-quantity"' in page
    assert 'class="ty-line-change"' not in visitor.read("/saved/?change=%00")
    visitor.post("/saved/move/", to="cart", item=key_text(("tea", "")), remove=key_text(("pot", "red")))
    assert "No longer saved: Kyusu" in visitor.read()
    assert (visitor.keeps(), visitor.keeps(CART)) == ([("tea", 2)], [])
    for nothing in ("", "{", key_text(("pot", "red"))):
        visitor.post("/saved/move/", to="cart", remove=nothing)
        assert "was no longer on your list" in visitor.read() or nothing != key_text(("pot", "red"))
        visitor.post("/saved/move/", to="cart", item=key_text(("tea", "")), put=nothing)
        assert visitor.keeps() == [("tea", 2)]
    visitor.post("/saved/move/", to="cart", put=key_text(("tea", "")))
    assert (visitor.keeps(), visitor.keeps(CART)) == ([], [("tea", 2)])


def test_few_pieces_left_are_said(visitor: Visitor):
    """CD-5: where the shop says how many."""
    visitor.has(Line("tea", 1), Line("free"))
    MemoryCatalog.products = {
        **PRODUCTS,
        "tea": replace(PRODUCTS["tea"], left=2),
        "free": replace(PRODUCTS["free"], left=90),
    }
    assert visitor.read().count("Only 2 left.") == 1


def test_a_line_removed_in_another_tab_does_not_come_back(visitor: Visitor):
    visitor.post("/saved/change/", product_ref="tea", quantity="4")
    assert "“Sencha” was no longer on your list" in visitor.read()
    assert visitor.keeps() == []


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


def test_where_saving_is_off_there_is_no_page_and_no_button(visitor: Visitor, site: Any):
    visitor.has(Line("tea"), kind=CART)
    site.THANKYOU_WISHLISTS = {**site.THANKYOU_WISHLISTS, "KINDS": {"saved": {"is_on": False}}}
    assert visitor.client.get("/saved/").status_code == 404
    for to in ("/saved/add/", "/saved/change/", "/saved/move/", "/cart/save/"):
        assert visitor.post(to, product_ref="tea").status_code == 404
    assert "Save for later" not in visitor.read("/cart/")
    assert heart().strip() == ""


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


def test_post_shows_nothing(client: Client):
    assert client.post("/saved/").status_code == 405


def test_nothing_of_an_account_is_left_after_logging_out(member: Client, customer: User):
    """SL-2."""
    visitor = Visitor(member, customer)
    visitor.post("/saved/add/", product_ref="tea")
    member.logout()
    assert "Nothing is saved yet" in text(member.get("/saved/"))
    assert "cart_saved" not in member.cookies
    assert WISH not in json.dumps(member.get("/lists/state/").json()["counts"])
