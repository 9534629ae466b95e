"""The cart as a guest uses it: without an account, a session, a row, or a script."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest
from django.contrib.auth.models import Group, User
from django.contrib.sessions.models import Session
from django.core import signing
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from wishlists import cookies
from wishlists.cookies import Kept
from wishlists.lines import Line, Lines
from wishlists.models.keys import KEY_LENGTH
from wishlists.signals import list_changed

from .catalogs import MemoryCatalog
from .conftest import kept, put

JSON = {"accept": "application/json"}


@pytest.fixture
def news() -> Iterator[list[dict[str, Any]]]:
    heard: list[dict[str, Any]] = []

    def hear(**kwargs: Any) -> None:
        heard.append(
            {key: kwargs[key] for key in ("action", "product_ref", "quantity")} | {"count": kwargs["lines"].count}
        )
        raise RuntimeError("must not disturb the customer")

    list_changed.connect(hear)
    yield heard
    list_changed.disconnect(hear)


def text(response: Any) -> str:
    return " ".join(response.content.decode().split())


def test_adding_goes_to_the_cart_and_says_so_once(client: Client, news: list[dict[str, Any]]):
    """AX-4: in the live region and in the title."""
    response = client.post("/cart/add/", {"product_ref": "tea", "quantity": "2"})
    assert (response.status_code, response.headers["Location"]) == (303, "/cart/")
    page = client.get("/cart/")
    assert 'role="status"> <p>Added: Sencha</p>' in text(page)
    assert "<title> Added: Sencha – Your cart </title>" in text(page)
    assert "Added" not in text(client.get("/cart/"))
    assert kept(client) == [("tea", 2)]
    assert news == [{"action": "added", "product_ref": "tea", "quantity": 2, "count": 2}]


def test_a_quantity_left_out_is_one(client: Client):
    client.post("/cart/add/", {"product_ref": "tea"})
    client.post("/cart/add/", {"product_ref": "tea", "quantity": ""})
    assert kept(client) == [("tea", 2)]


def test_next_brings_the_customer_back_with_the_message_as_target(client: Client):
    """No cookie for the message: the page there may be cached, its form has a text with this id."""
    response = client.post("/cart/add/", {"product_ref": "tea", "next": "/plain/?page=2"})
    assert response.headers["Location"] == "/plain/?page=2#ty-added-tea"
    assert set(response.cookies) == {"cart"}
    assert 'id="ty-added-tea" hidden' in text(client.get("/plain/"))
    response = client.post("/cart/add/", {"product_ref": "tea", "next": "/plain/#shelf"})
    assert response.headers["Location"] == "/plain/#shelf"


@pytest.mark.parametrize(
    "target",
    [
        "https://evil.example/",
        "//evil.example",
        "/\\evil.example",
        "javascript:alert(1)",
        "",
        "\n//evil",
        "x" * 3000,
        "/é" * 800,
    ],
)
def test_next_never_leads_away(client: Client, target: str):
    """ASVS 3.7.2."""
    response = client.post("/cart/add/", {"product_ref": "tea", "next": target})
    assert (response.status_code, response.headers["Location"]) == (303, "/cart/")
    assert kept(client) == [("tea", 1)]


@pytest.mark.parametrize("quantity", ["0", "-1", "100", "1000000000", "9" * 400, "abc", "1.5", "١٠٠", "NaN"])
def test_a_wrong_quantity_is_said_beside_the_field_and_nothing_is_lost(client: Client, quantity: str):
    """AX-3: the form again, with what was typed, the error tied to the field."""
    put(client, Line("pot", 1))
    response = client.post("/cart/add/", {"product_ref": "tea", "quantity": quantity, "next": "/plain/"})
    assert response.status_code == 422
    assert kept(client) == [("pot", 1)]
    page = text(response)
    assert f'value="{quantity}"' in page
    assert 'aria-invalid="true"' in page
    assert 'aria-describedby="ty-add-quantity_error"' in page
    assert 'id="ty-add-quantity_error"' in page
    assert 'name="next" value="/plain/"' in page
    assert "Sencha" in page


def test_more_than_the_limit_in_two_steps_is_refused_too(client: Client):
    put(client, Line("tea", 60))
    response = client.post("/cart/add/", {"product_ref": "tea", "quantity": "60"})
    assert response.status_code == 422
    assert "up to 99 of one product" in text(response)
    assert kept(client) == [("tea", 60)]


def test_a_full_cart_says_so(client: Client, site: Any):
    site.THANKYOU_WISHLISTS = {**site.THANKYOU_WISHLISTS, "KINDS": {"cart": {"max_items": 1}}}
    put(client, Line("tea", 1))
    response = client.post("/cart/add/", {"product_ref": "pot"})
    assert (response.status_code, kept(client)) == (422, [("tea", 1)])
    assert "holds up to 1 different products" in text(response)


def test_more_than_is_in_stock_is_cut_and_said_even_if_next_leads_elsewhere(client: Client):
    response = client.post("/cart/add/", {"product_ref": "pot", "quantity": "5", "next": "/plain/"})
    assert response.headers["Location"] == "/cart/"
    assert kept(client) == [("pot", 3)]
    assert "Only 3 of “Kyusu” left" in text(client.get("/cart/"))


@pytest.mark.parametrize("ref", ["unknown", "cup", "none", "dear", "", "a\0b", "x" * 129, "\x1b[0m", "\u202e"])
def test_what_cannot_be_bought_is_not_added_and_the_customer_is_told(client: Client, ref: str):
    """CK-3, SL-6: one kind message for all."""
    put(client, Line("tea", 1))
    response = client.post("/cart/add/", {"product_ref": ref, "next": "/p/gone/"})
    assert (response.status_code, response.headers["Location"]) == (303, "/cart/")
    assert "Sorry, this product cannot be bought at the moment" in text(client.get("/cart/"))
    assert kept(client) == [("tea", 1)]


def test_a_line_is_changed_and_removed_and_put_back(client: Client, news: list[dict[str, Any]]):
    """AX-7: forms only."""
    put(client, Line("tea", 2), Line("pot", 1))
    client.post("/cart/change/", {"product_ref": "tea", "quantity": "5"})
    assert "Sencha: quantity changed to 5." in text(client.get("/cart/"))
    client.post("/cart/change/", {"product_ref": "tea", "quantity": "0"})
    page = text(client.get("/cart/"))
    assert "Removed: Sencha" in page
    assert "Put it back" in page
    assert kept(client) == [("pot", 1)]
    client.post("/cart/add/", {"product_ref": "tea", "options": "", "quantity": "5"})
    assert kept(client) == [("pot", 1), ("tea", 5)]
    assert [each["action"] for each in news] == ["changed", "removed", "added"]


def test_a_change_above_stock_is_cut_and_said(client: Client):
    put(client, Line("pot", 1))
    client.post("/cart/change/", {"product_ref": "pot", "quantity": "9"})
    assert kept(client) == [("pot", 3)]
    assert "Only 3 of “Kyusu” left" in text(client.get("/cart/"))


@pytest.mark.parametrize("quantity", ["", "-1", "100", "abc"])
def test_a_wrong_change_is_said_in_its_line_and_nothing_is_lost(client: Client, quantity: str):
    """AX-3."""
    put(client, Line("tea", 2), Line("pot", 1))
    response = client.post("/cart/change/", {"product_ref": "tea", "quantity": quantity})
    page = text(response)
    assert response.status_code == 422
    assert kept(client) == [("tea", 2), ("pot", 1)]
    assert page.count('aria-invalid="true"') == 1
    assert 'id="ty-tea-quantity_error"' in page
    assert 'id="ty-pot-quantity"' in page
    assert "Please check:" in page


def test_a_line_removed_in_another_tab_does_not_come_back(client: Client):
    put(client, Line("pot", 1))
    client.post("/cart/change/", {"product_ref": "tea", "quantity": "4"})
    assert "“Sencha” was no longer in your cart" in text(client.get("/cart/"))
    assert kept(client) == [("pot", 1)]


def state(pieces: int) -> dict[str, Any]:
    return {"counts": {"cart": pieces, "saved": 0, "compare": 0}, "saved": [], "left": 0, "ask": False}


def test_scripts_get_json_if_they_ask_for_it(client: Client):
    """The answer carries what the badges show now, so that no second request is needed (CK-7)."""
    good = client.post("/cart/add/", {"product_ref": "tea", "quantity": "2"}, headers=JSON)
    assert (good.status_code, good.json()) == (200, {"message": "Added: Sencha", "state": state(2)})
    bad = client.post("/cart/add/", {"product_ref": "tea", "quantity": "x"}, headers=JSON)
    assert bad.status_code == 422
    assert bad.json() == {
        "message": "Enter a whole number.",
        "state": state(2),
        "errors": {"quantity": ["Enter a whole number."]},
    }
    gone = client.post("/cart/add/", {"product_ref": "cup"}, headers=JSON)
    assert (gone.status_code, gone.json()["state"]) == (422, state(2))
    removed = client.post("/cart/change/", {"product_ref": "tea", "quantity": "0"}, headers=JSON)
    assert removed.json() == {"message": "Removed: Sencha", "state": state(0)}


def test_the_empty_cart_says_what_belongs_here(client: Client):
    page = text(client.get("/cart/"))
    assert "What you add in the shop waits here" in page
    assert 'href="/"' in page


def test_the_cart_shows_prices_problems_and_the_way_on(client: Client, site: Any):
    """CK-4."""
    site.THANKYOU_WISHLISTS = {**site.THANKYOU_WISHLISTS, "CHECKOUT_URL": "checkout", "SHOP_URL": "/plain/"}
    put(client, *(Line(ref, 5) for ref in ("tea", "pot", "cup", "free", "unknown")))
    page = text(client.get("/cart/"))
    assert len(MemoryCatalog.calls) == 1
    for words in ("€12.50 each", "€62.50", "€180.00", "Subtotal, 13 pieces", "€242.50", "you asked for 5, we count 3"):
        assert words in page
    assert "A product that is no longer in the shop" in page
    assert "cannot be ordered at the moment" in page
    assert 'href="/checkout/"' in page
    assert "Yunomi &lt;b&gt;" in page
    assert "csrfmiddlewaretoken" not in page
    assert kept(client)[1] == ("pot", 5), "a GET changes nothing"


def test_a_cart_of_which_nothing_can_be_bought_offers_no_checkout(client: Client, site: Any):
    site.THANKYOU_WISHLISTS = {**site.THANKYOU_WISHLISTS, "CHECKOUT_URL": "checkout"}
    put(client, Line("cup", 1))
    page = text(client.get("/cart/"))
    assert "Nothing in your cart can be ordered" in page
    assert "/checkout/" not in page


@pytest.mark.parametrize("method", ["get", "head"])
@pytest.mark.parametrize(
    ("path", "page"),
    [
        ("/cart/add/", "/cart/"),
        ("/cart/change/", "/cart/"),
        ("/cart/save/", "/cart/"),
        ("/saved/add/", "/saved/"),
        ("/saved/change/", "/saved/"),
        ("/saved/move/", "/saved/"),
        ("/compare/change/", "/compare/"),
        ("/recent/change/", "/recent/"),
        (f"/lists/{'a' * KEY_LENGTH}/items/", f"/lists/{'a' * KEY_LENGTH}/"),
        ("/shared/x/gift/", "/shared/x/"),
    ],
)
def test_the_address_of_a_form_leads_to_its_page(client: Client, path: str, page: str, method: str):
    """Complaint of a tester: after a refused step it is in the address bar, and opened again it was an empty page."""
    put(client, Line("tea", 2))
    answer = getattr(client, method)(path, {"product_ref": "tea", "quantity": "5", "action": "clear"})
    assert (answer.status_code, answer["Location"]) == (303, page)
    assert not answer.cookies
    assert client.put(path).status_code == 405


def test_post_shows_nothing(client: Client):
    assert client.post("/cart/").status_code == 405


@pytest.mark.parametrize(
    "value",
    ["x", "a:b:c", "\xff" * 20, pytest.param(cookies.encode(Kept(Lines((Line("tea", 1),)), Lines())), id="a-cart")],
)
def test_a_bad_note_is_dropped(client: Client, value: str):
    """CK-3: the same for the second cookie; a cart is no note."""
    response = client.get("/cart/", HTTP_COOKIE=f"cart_note={value}")
    assert response.status_code == 200
    assert response.cookies["cart_note"]["max-age"] == 0


def test_the_note_holds_no_title_and_dies_soon(client: Client):
    """CK-1, CK-5: nothing that the next person at this computer should read."""
    response = client.post("/cart/add/", {"product_ref": "tea"})
    assert response.cookies["cart_note"]["max-age"] == 120
    payload = signing.loads(response.cookies["cart_note"].value, salt="thankyou_wishlists.note.v1")
    assert payload == ["added", "tea", "", 1]


# What it costs (DESIGN §6): no write, no session, at most one query.


@pytest.fixture
def rows(site: Any, db: None) -> list[str]:
    """Twenty products that are rows."""
    site.THANKYOU_WISHLISTS = {"CATALOG": "tests.test_wishlists.catalogs.DatabaseCatalog"}
    return [str(Group.objects.create(name=f"Thing {number}").pk) for number in range(20)]


@pytest.mark.parametrize("lines", [1, 20])
def test_the_cart_page_makes_one_query(client: Client, rows: list[str], lines: int, django_assert_num_queries: Any):
    put(client, *(Line(ref, 1) for ref in rows[:lines]))
    with django_assert_num_queries(1):
        assert client.get("/cart/").status_code == 200


@pytest.mark.parametrize("lines", [1, 20])
def test_adding_and_changing_make_one_query_and_the_badge_none(
    client: Client, rows: list[str], lines: int, django_assert_num_queries: Any
):
    put(client, *(Line(ref, 1) for ref in rows[:lines]))
    with django_assert_num_queries(1):
        assert client.post("/cart/add/", {"product_ref": rows[0]}).status_code == 303
    with django_assert_num_queries(1):
        assert client.post("/cart/change/", {"product_ref": rows[0], "quantity": "3"}).status_code == 303
    with django_assert_num_queries(0):
        assert client.post("/cart/change/", {"product_ref": rows[0], "quantity": "0"}).status_code == 303
    with django_assert_num_queries(0):
        assert client.get("/lists/state/").json()["counts"]["cart"] == lines - 1
    with django_assert_num_queries(0):
        assert client.get("/plain/").status_code == 200


ACTIONS = st.tuples(
    st.sampled_from(["add", "change", "cart", "state"]),
    st.sampled_from(["tea", "pot", "cup", "none", "unknown", "sku-1", "sku-2", "sku-3", "\0"]),
    st.sampled_from(["0", "1", "3", "99", "-1", "x", ""]),
)


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(ACTIONS, max_size=12))
def test_guests_never_cause_a_write_or_a_session(db: None, actions: list[tuple[str, str, str]]):
    """DESIGN D7: whatever a guest does; the cookie stays within its limit."""
    client = Client()
    with CaptureQueriesContext(connection) as queries:
        for action, ref, quantity in actions:
            if action in ("add", "change"):
                response = client.post(f"/cart/{action}/", {"product_ref": ref, "quantity": quantity})
            else:
                response = client.get("/cart/" if action == "cart" else "/lists/state/")
            assert response.status_code in (200, 303, 422)
            assert set(response.cookies) <= {"cart", "cart_note"}
            assert len(client.cookies.output(header="", sep=";")) < 4096
            assert not response.wsgi_request.session.accessed
    assert not queries.captured_queries


@pytest.mark.django_db
def test_no_personal_data_reaches_the_cookies(client: Client, django_user_model: type[User]):
    """CK-1: markers in user and session; what an account keeps is in no cookie at all (SL-2)."""
    client.force_login(django_user_model.objects.create_user("marker-name", "marker@example.com", "x"))
    before = Session.objects.count()
    response = client.post("/cart/add/", {"product_ref": "tea"})
    assert set(response.cookies) == {"cart_note"}
    payloads = [signing.loads(response.cookies["cart_note"].value, salt="thankyou_wishlists.note.v1")]
    assert payloads == [["added", "tea", "", 1]]
    assert Session.objects.count() == before
    guest = Client()
    session = guest.session
    session["name"] = "marker-in-session"
    session.save()
    guest.post("/cart/add/", {"product_ref": "tea"})
    payload = signing.TimestampSigner(salt=cookies.salt("cart")).unsign_object(guest.cookies["cart"].value)
    assert payload == [1, 0, ["tea"]]
    assert "marker" not in json.dumps([*payloads, payload])
    assert Session.objects.count() == before + 1
