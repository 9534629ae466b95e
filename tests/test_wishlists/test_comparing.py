"""Products side by side: the table, the limit, and what goes in and out."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from typing import Any

import pytest
from django.contrib.sessions.models import Session
from django.template import Context, Template
from django.test import Client, RequestFactory
from hypothesis import given
from hypothesis import strategies as st

from wishlists.catalog import ProductCard
from wishlists.comparing import compare, in_order
from wishlists.kinds import COMPARE
from wishlists.lines import Line, Lines, key_text
from wishlists.models import ListItem, ProductList
from wishlists.signals import list_changed

from .catalogs import FactsCatalog, MemoryCatalog, euro
from .conftest import kept, put

JSON = {"accept": "application/json"}


@pytest.fixture(autouse=True)
def facts(site: Any) -> type[FactsCatalog]:
    """The catalogue of this file."""
    site.THANKYOU_WISHLISTS = {"CATALOG": f"{FactsCatalog.__module__}.FactsCatalog"}
    FactsCatalog.questions.clear()
    return FactsCatalog


def lines(*refs: str) -> Lines:
    return Lines(tuple(Line(ref) for ref in refs), COMPARE)


def text(response: Any) -> str:
    return " ".join(response.content.decode().split())


def table(*refs: str) -> dict[str, tuple[str, ...]]:
    return {row.name: row.cells for row in compare(lines(*refs), FactsCatalog()).rows}


def act(client: Client, action: str, ref: str = "", **more: Any) -> Any:
    headers = more.pop("headers", None)
    return client.post("/compare/change/", {"action": action, "product_ref": ref, **more}, headers=headers)


# The value ------------------------------------------------------------------------------------------


def test_rows_are_the_union_of_the_facts_in_their_order():
    """Issue 4: up to four products with their attributes; what a shop does not say is empty."""
    assert table("tea", "pot") == {
        "Price": ("€12.50", "€60.00"),
        "Availability": ("Available", "Available"),
        "Origin": ("Uji", "Tokoname"),
        "Volume": ("", "3 dl"),
        "Weight": ("100 g", ""),
        "Made by": ("hand", "hand"),
    }


def test_what_costs_nothing_has_a_price():
    """Zero is a price."""
    MemoryCatalog.products["gift"] = replace(MemoryCatalog.products["tea"], ref="gift", price=euro(0))
    assert table("tea", "gift", "dear")["Price"] == ("€12.50", "€0.00", "")


def test_the_device_is_at_hand(client: Client):
    """CK-5: what an earlier visit left, and "forget everything here", on this page of the lists too."""
    put(client, Line("tea"), kind=COMPARE)
    put(client, Line("pot"), keep=True, is_open=False)
    page = text(client.get("/compare/"))
    assert "Forget everything here" in page
    assert "1 product was left on this device by an earlier visit." in page
    assert "Forget everything here" not in text(Client().get("/compare/"))


def test_a_fact_said_twice_is_one_row_and_an_empty_one_none():
    assert table("free")["Contains"] == ("milk, nuts",)
    assert "Weight" not in table("free")


def test_rows_say_whether_they_differ():
    found = compare(lines("tea", "pot"), FactsCatalog())
    assert [row.name for row in found.differing] == ["Price", "Origin", "Volume", "Weight"]
    assert compare(lines("tea"), FactsCatalog()).differing == ()


def test_a_product_that_left_the_shop_makes_no_difference():
    """SL-6: it stays, marked."""
    found = compare(lines("tea", "lost"), FactsCatalog(), titles={key_text(("lost", "")): "Old tea"})
    assert [column.title for column in found.columns] == ["Sencha", "Old tea"]
    assert found.differing == ()
    assert found.rows[1].cells == ("Available", "No longer sold")


def test_options_are_told_apart():
    both = Lines((Line("tea"), Line("tea", options="l")), COMPARE)
    found = compare(both, FactsCatalog())
    assert found.rows[0].name == "Options"
    assert found.rows[0].cells == ("", "Large")
    assert [column.name for column in found.columns] == ["Sencha", "Sencha, Large"]


def test_few_pieces_are_said_only_where_the_shop_says_so():
    """CD-5: no scarcity without a number."""
    MemoryCatalog.products["few"] = ProductCard(ref="few", title="Few", url="", price=euro(1), left=2)
    assert table("few", "pot", "cup")["Availability"] == (
        "Available, only 2 left",
        "Available",
        "Not available at the moment",
    )


def test_a_product_with_choices_cannot_be_added_before_one_is_made():
    MemoryCatalog.products["chosen"] = ProductCard(
        ref="chosen", title="Chosen", url="/p/", price=euro(1), choices={"s": "Small"}
    )
    both = Lines((Line("chosen"), Line("chosen", options="s"), Line("chosen", options="x")), COMPARE)
    found = compare(both, FactsCatalog())
    assert [column.can_be_added for column in found.columns] == [False, True, False]
    assert found.columns[1].option_title == "Small"


@given(st.lists(st.lists(st.sampled_from("abcdefgh"), unique=True), max_size=4))
def test_the_union_of_names_has_each_once_and_keeps_the_order_of_the_first(sequences: list[list[str]]):
    union = in_order(sequences)
    assert sorted(union) == sorted({name for names in sequences for name in names})
    first = sequences[0] if sequences else []
    assert [name for name in union if name in first] == first


# The page -------------------------------------------------------------------------------------------


def test_a_guest_compares_without_a_query_or_a_session(client: Client, django_assert_num_queries: Any, db: None):
    """CK-1, CK-7: a cookie, nothing else."""
    with django_assert_num_queries(0):
        for ref in ("tea", "pot"):
            response = act(client, "add", ref)
            assert (response.status_code, response.headers["Location"]) == (303, "/compare/")
        page = client.get("/compare/")
    assert kept(client, COMPARE) == [("tea", 1), ("pot", 1)]
    assert not client.cookies["cart_compare"]["max-age"]
    assert not Session.objects.exists()
    assert "In your comparison: Kyusu" in text(page)
    assert page.headers["X-Robots-Tag"] == "noindex"
    assert "no-store" in page.headers["Cache-Control"]


def test_one_question_for_products_and_one_for_attributes(client: Client, facts: type[FactsCatalog]):
    put(client, Line("tea"), Line("pot"), Line("free"), Line("sku-1"), kind=COMPARE)
    client.get("/compare/")
    assert facts.questions == ["products", "attributes"]


def test_a_comparison_without_attributes_still_compares(client: Client, site: Any):
    site.THANKYOU_WISHLISTS = {"CATALOG": "tests.test_wishlists.catalogs.MemoryCatalog"}
    put(client, Line("tea"), Line("pot"), kind=COMPARE)
    assert "€12.50" in text(client.get("/compare/"))


@pytest.mark.parametrize("number", [1, 4])
def test_an_account_compares_with_few_queries(
    member: Client, customer: Any, number: int, django_assert_num_queries: Any
):
    """SL-6: the same number for one and for many: session, user, items."""
    row = ProductList.objects.create(owner=customer, kind=COMPARE)
    for n in range(number):
        ListItem.objects.create(list=row, product_ref=f"sku-{n}", title=f"Thing {n}")
    with django_assert_num_queries(3):
        page = member.get("/compare/")
    assert page.content.count(b'<th scope="col">') == number + 1


def test_the_table_has_heads_and_says_what_is_missing_in_words(client: Client):
    """AX: a real table; a dash is nothing for a screen reader."""
    put(client, Line("tea"), Line("pot"), kind=COMPARE)
    page = text(client.get("/compare/"))
    assert page.count('<th scope="col">') == 3
    assert '<th scope="row"> Origin' in page
    assert '<span class="ty-visually-hidden">not stated</span>' in page
    assert 'role="region" aria-labelledby="ty-compare-title" tabindex="0"' in page


def test_only_differences_can_be_shown(client: Client):
    """Works as a link; what differs is marked by a sign and in words, not by colour."""
    put(client, Line("tea"), Line("pot"), kind=COMPARE)
    page = text(client.get("/compare/"))
    assert "Made by" in page
    assert "(differs)" in page
    assert "They differ in 4 rows" in page
    page = text(client.get("/compare/?only=differences"))
    assert "Made by" not in page
    assert "Origin" in page
    put(client, Line("tea"), kind=COMPARE)
    assert "Made by" in text(client.get("/compare/?only=differences"))


def test_titles_are_escaped(client: Client):
    put(client, Line("cup"), kind=COMPARE)
    assert "Yunomi &lt;b&gt;" in text(client.get("/compare/"))


def test_an_empty_comparison_explains(client: Client):
    assert "Choose “Compare” at up to 4 products" in text(client.get("/compare/"))


def test_looking_sets_no_cookie(client: Client):
    """No GET changes anything (CK-7)."""
    put(client, Line("tea"), kind=COMPARE)
    for url in ("/compare/", "/compare/?only=differences", "/compare/sheet/"):
        assert not client.get(url).cookies


@pytest.mark.parametrize("value", ["", "x", "\x00\xff", "a" * 8000, "WzEsMCxbXV0:1:x"])
def test_any_cookie_gives_an_empty_comparison(client: Client, value: str):
    """CK-3."""
    client.cookies["cart_compare"] = value
    assert client.get("/compare/").status_code == 200


# In and out -----------------------------------------------------------------------------------------


def test_a_fifth_product_is_refused_and_one_click_replaces(client: Client):
    """CK-2: nothing disappears silently; what was wanted is kept."""
    put(client, Line("tea"), Line("pot"), Line("free"), Line("sku-1"), kind=COMPARE)
    page = act(client, "add", "sku-2", next="/plain/")
    assert page.status_code == 422
    assert "You can compare up to 4 products. Take one out to add another." in text(page)
    assert text(page).count("Replace with Thing 2") == 4
    assert len(kept(client, COMPARE)) == 4
    done = act(client, "add", "sku-2", replace=key_text(("pot", "")))
    assert done.headers["Location"] == "/compare/"
    assert kept(client, COMPARE) == [("tea", 1), ("free", 1), ("sku-1", 1), ("sku-2", 1)]


def test_a_full_comparison_says_so_as_json(client: Client):
    put(client, Line("tea"), Line("pot"), Line("free"), Line("sku-1"), kind=COMPARE)
    answer = act(client, "add", "sku-2", headers=JSON)
    assert answer.status_code == 422
    assert answer.json()["code"] == "lines"
    assert answer.json()["state"]["counts"]["compare"] == 4


def test_a_reference_too_long_for_the_cookie_is_refused(client: Client):
    """CK-2: four long references do not fit; the page says what to do."""
    refs = [hashlib.sha512(bytes([n])).hexdigest() for n in range(4)]
    for ref in refs:
        MemoryCatalog.products[ref] = ProductCard(ref=ref, title="Long", url="", price=euro(1))
    answers = [act(client, "add", ref) for ref in refs]
    assert answers[-1].status_code == 422
    assert "Replace with Long" in text(answers[-1])
    assert 0 < len(kept(client, COMPARE)) < 4
    assert len(client.cookies["cart_compare"].value) + len("cart_compare=") <= 500


def test_an_account_is_limited_too(member: Client, customer: Any):
    for n in range(4):
        assert act(member, "add", f"sku-{n}").status_code == 303
    assert act(member, "add", "sku-9").status_code == 422
    assert act(member, "add", "sku-9", replace=key_text(("sku-0", ""))).status_code == 303
    found = ListItem.objects.of(customer).filter(list__kind=COMPARE)
    assert [item.product_ref for item in found] == ["sku-1", "sku-2", "sku-3", "sku-9"]
    assert found[0].title == "Thing 1"
    assert "cart_compare" not in member.cookies


def test_from_the_shops_own_page_and_back(client: Client):
    """That page may come from a cache, so the word about it travels in the address (CK-7)."""
    done = act(client, "add", "tea", next="/plain/")
    assert done.headers["Location"] == "/plain/#ty-compared-tea"
    assert "cart_note" not in client.cookies


def test_twice_in_is_once_in(client: Client):
    act(client, "add", "tea")
    act(client, "add", "tea")
    assert kept(client, COMPARE) == [("tea", 1)]


def test_out_and_back_again(client: Client):
    put(client, Line("tea"), Line("pot"), kind=COMPARE)
    act(client, "remove", "tea")
    assert kept(client, COMPARE) == [("pot", 1)]
    page = text(client.get("/compare/"))
    assert "Removed: Sencha" in page
    assert "Put it back" in page
    act(client, "remove", "tea")
    act(client, "clear")
    assert kept(client, COMPARE) == []
    assert "Your comparison is empty now." in text(client.get("/compare/"))


def test_a_product_that_is_sold_out_can_be_compared(client: Client):
    act(client, "add", "cup")
    assert kept(client, COMPARE) == [("cup", 1)]


@pytest.mark.parametrize(
    ("ref", "options"), [("lost", ""), ("", ""), ("a\x00b", ""), ("tea", "\x00"), ("x" * 129, ""), ("chosen", "none")]
)
def test_what_the_shop_does_not_know_is_refused(client: Client, ref: str, options: str):
    """CK-3: whatever is sent, nothing breaks and nothing is kept."""
    MemoryCatalog.products["chosen"] = ProductCard(
        ref="chosen", title="Chosen", url="", price=euro(1), choices={"s": "Small"}
    )
    assert act(client, "add", ref, options=options).status_code in (303, 422)
    assert act(client, "add", ref, options=options, headers=JSON).status_code == 422
    assert kept(client, COMPARE) == []


@pytest.mark.parametrize("action", ["", "burn", "\x00"])
def test_an_unknown_action_changes_nothing(client: Client, action: str):
    put(client, Line("tea"), kind=COMPARE)
    page = act(client, action, "pot")
    assert page.status_code == 422
    assert "nothing was changed" in text(page)
    assert kept(client, COMPARE) == [("tea", 1)]


@pytest.mark.parametrize("replace", ["", "x", "[1,2]", '["lost",""]', '["tea",""]', "[" * 3000])
def test_any_replace_is_survivable(client: Client, replace: str):
    put(client, Line("tea"), kind=COMPARE)
    assert act(client, "add", "tea", replace=replace).status_code == 303
    assert kept(client, COMPARE) == [("tea", 1)]


def test_the_way_back_is_one_of_this_site(client: Client):
    assert act(client, "add", "tea", next="https://evil.example/").headers["Location"] == "/compare/"


def test_others_cannot_post(client: Client):
    answer = Client(enforce_csrf_checks=True).post(
        "/compare/change/", {"action": "add", "product_ref": "tea"}, headers={"sec-fetch-site": "cross-site"}
    )
    assert answer.status_code == 403


def test_changes_are_told(client: Client):
    heard: list[tuple[str, str, str]] = []

    def hear(**kwargs: Any) -> None:
        heard.append((kwargs["kind"], kwargs["action"], kwargs["product_ref"]))

    list_changed.connect(hear)
    try:
        act(client, "add", "tea")
        act(client, "add", "pot", replace=key_text(("tea", "")))
        act(client, "remove", "lost")
        act(client, "clear")
    finally:
        list_changed.disconnect(hear)
    assert heard == [
        (COMPARE, "added", "tea"),
        (COMPARE, "removed", "tea"),
        (COMPARE, "added", "pot"),
        (COMPARE, "removed", "pot"),
    ]


def test_a_shop_without_it_has_none(client: Client, site: Any):
    site.THANKYOU_WISHLISTS = {**site.THANKYOU_WISHLISTS, "KINDS": {"compare": {"is_on": False}}}
    assert client.get("/compare/").status_code == 404
    assert client.get("/compare/sheet/").status_code == 404
    assert act(client, "add", "tea").status_code == 404
    button = Template('{% load thankyou_wishlists %}{% compare_button "tea" %}')
    assert button.render(Context({})).strip() == ""


def test_the_button_is_a_plain_form(client: Client):
    """CK-7: it reads nothing of the visitor, so that the page around it stays cacheable."""
    button = Template('{% load thankyou_wishlists %}{% compare_button "a b" title=title next="/p/" %}')
    request = RequestFactory().get("/")
    html = button.render(Context({"request": request, "title": "Tea <b>"}))
    assert 'id="ty-compared-a_20_b"' in html
    assert "Tea &lt;b&gt;" in html
    assert "csrf" not in html
    assert "CSRF_COOKIE_NEEDS_UPDATE" not in request.META
