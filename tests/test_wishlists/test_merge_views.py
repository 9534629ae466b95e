"""The question after a login, its three answers, the receipt and its undo, through the front door (SL-1, CK-5)."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.urls import reverse
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from wishlists import merging
from wishlists.cookies import Kept
from wishlists.kinds import CART, RECENT, SAVED
from wishlists.lines import Line, Lines
from wishlists.models import ListItem
from wishlists.receipts import lines_from_json

from .catalogs import MemoryCatalog
from .conftest import cookie, kept, put
from .merge_tools import (
    JSON,
    MERGE,
    POT,
    SETTINGS,
    TEA,
    account_of,
    answer,
    cookies_in,
    fill_account,
    fill_browser,
    kept_lists,
    last_receipt,
    make_user,
    receipts_of,
    rows_of,
    shelves,
)

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def doors(site: Any) -> None:
    """A site with ways to log in, and limits that random lists reach."""
    site.ROOT_URLCONF = "tests.test_wishlists.merge_urls"
    site.LOGIN_URL = "/accounts/login/"
    site.THANKYOU_WISHLISTS = SETTINGS


def go_through(door: str, client: Client, user: User) -> User:
    """Come into an account by one of its doors; return whose it is."""
    if door == "register":
        client.post("/join/", {"username": f"{user.username}-new"})
        return User.objects.get(username=f"{user.username}-new")
    client.post("/enter/", {"username": user.username})
    if door == "rotation":
        client.post("/rotate/")
    return user


# For any guest and any account --------------------------------------------------------------------


@pytest.mark.parametrize("door", ["login", "register", "rotation"])
@hypothesis_settings(max_examples=15)
@given(device=kept_lists(), account=shelves(), is_open=st.booleans())
def test_add_and_undo(door: str, device: dict[str, Kept], account: dict[str, Lines], is_open: bool) -> None:
    """SL-1: "add" leaves on the device what did not fit, and nothing else; undo gives back each row and each cookie."""
    client, user = Client(), make_user()
    fill_browser(client, device, is_open=is_open)
    fill_account(user, account)
    user = go_through(door, client, user)
    rows, cookies = rows_of(user), cookies_in(client)
    answer(client, "add")
    if not device:
        assert (rows_of(user), cookies_in(client), receipts_of(user)) == (rows, cookies, [])
        return
    receipt = last_receipt(user)
    after = account_of(user)
    left_out = lines_from_json(receipt.left_out)
    for kind, found in device.items():
        stayed = cookie(client, kind) or Kept.empty(kind)
        out = {line.key for line in left_out.get(kind, ())}
        assert {line.key for line in (*stayed.lines, *stayed.left)} == out
        for line in (*found.lines, *found.left) if kind != RECENT else ():
            assert line.key in out or after[kind][line.key].quantity >= line.quantity
    # Twice is once.
    merged = rows_of(user)
    answer(client, "add")
    assert (rows_of(user), receipts_of(user)) == (merged, [receipt])
    assert client.post(reverse("thankyou_wishlists:merge_undo", args=[receipt.key])).status_code == 303
    assert rows_of(user) == rows
    assert cookies_in(client) == cookies


@pytest.mark.parametrize("door", ["login", "register", "rotation"])
@hypothesis_settings(max_examples=10)
@given(device=kept_lists(), account=shelves(), is_open=st.booleans())
def test_keeping_apart_changes_nothing(
    door: str, device: dict[str, Kept], account: dict[str, Lines], is_open: bool
) -> None:
    """SL-1: no row and no byte of a cookie; and the question is not asked again in this session (complaint 23)."""
    client, user = Client(), make_user()
    fill_browser(client, device, is_open=is_open)
    fill_account(user, account)
    user = go_through(door, client, user)
    rows, cookies = rows_of(user), cookies_in(client)
    assert "cart" not in answer(client, "apart", next="/plain/").cookies
    assert (rows_of(user), cookies_in(client), receipts_of(user)) == (rows, cookies, [])
    assert client.get("/lists/state/").json()["ask"] is False
    client.post("/rotate/")
    assert client.get("/lists/state/").json()["ask"] is False
    assert cookies_in(client) == cookies


@hypothesis_settings(max_examples=10)
@given(device=kept_lists(), account=shelves(), is_open=st.booleans())
def test_logging_in_alone_changes_nothing(device: dict[str, Kept], account: dict[str, Lines], is_open: bool) -> None:
    """CK-5: nothing is merged by a login, nor by looking at the question, whoever it is who logs in."""
    client, user = Client(), make_user()
    fill_browser(client, device, is_open=is_open)
    fill_account(user, account)
    cookies, rows = cookies_in(client), rows_of(user)
    client.post("/enter/", {"username": user.username})
    for path in (MERGE, f"{MERGE}?show=1", "/lists/state/", "/cart/"):
        assert client.get(path).status_code == 200
    assert (cookies_in(client), rows_of(user)) == (cookies, rows)


# The question -------------------------------------------------------------------------------------


def test_it_asks_in_numbers(client: Client, customer: User) -> None:
    """CK-5: how many things are where, also those of an earlier visit; what they are only when asked for."""
    put(client, TEA, POT)
    put(client, Line("free"), kind=SAVED, keep=True, is_open=False)
    response = client.post("/enter/", {"username": "customer", "next": "/checkout/"})
    assert response.headers["Location"] == f"{MERGE}?next=%2Fcheckout%2F"
    page = client.get(response.headers["Location"])
    text = page.content.decode()
    assert "this device kept 2 things in the cart and 1 thing saved for later." in text
    for title in ("Sencha", "Kyusu", "Sample"):
        assert title not in text
    assert MemoryCatalog.calls == []
    assert "no-store" in page.headers["Cache-Control"]
    assert page.headers["X-Robots-Tag"] == "noindex"
    shown = client.get(f"{MERGE}?show=1&next=/checkout/").content.decode()
    for title in ("2 ×", "Sencha", "Kyusu", "Sample"):
        assert title in shown
    assert 'value="/checkout/"' in shown


def test_there_may_be_nothing_to_ask(client: Client, customer: User) -> None:
    """Then the login goes where it would, and the page says so."""
    assert client.post("/enter/", {"username": "customer", "next": "/checkout/"}).headers["Location"] == "/checkout/"
    assert "Nothing to decide" in client.get(MERGE).content.decode()
    assert client.get(f"{MERGE}?next=/checkout/").headers["Location"] == "/checkout/"
    assert answer(client, "add", next="/checkout/").headers["Location"] == "/checkout/"
    assert receipts_of(customer) == []


def test_what_was_only_looked_at_is_no_reason_to_ask(client: Client, customer: User) -> None:
    """Nobody is stopped at the door for that; it comes along when there is another reason."""
    put(client, TEA, kind=RECENT)
    assert client.post("/enter/", {"username": "customer"}).headers["Location"] == "/plain/"
    assert client.get("/lists/state/").json()["ask"] is False
    put(client, POT)
    assert client.get("/lists/state/").json()["ask"] is True
    assert "1 thing in the cart and 1 thing looked at" in client.get(MERGE).content.decode()
    answer(client, "add")
    assert [key for key, _options in account_of(customer)[RECENT]] == ["tea"]


def test_a_login_page_that_leads_to_the_question_asks_it_once(client: Client, customer: User) -> None:
    """A guest who opens the question is sent to the login, and from there to the question, not to two of them."""
    put(client, TEA)
    assert client.get(MERGE).headers["Location"] == f"/accounts/login/?next={MERGE}"
    assert client.post("/accounts/login/", {"username": "customer", "next": MERGE}).headers["Location"] == MERGE


def test_pages_of_the_lists_say_that_something_waits(client: Client, customer: User, rf: Any) -> None:
    """For shops whose login view cannot be changed: a line with a number and a link, until it is answered."""
    from django.template.loader import render_to_string

    put(client, TEA, POT)
    include = "thankyou_wishlists/includes/ask_note.html"
    for is_logged_in, wanted in ((False, ""), (True, "2 things from before you logged in")):
        if is_logged_in:
            client.force_login(customer)
        request = client.get("/cart/").wsgi_request
        text = render_to_string(include, {"request": request}, request=request)
        assert wanted in text
        assert bool(text.strip()) == is_logged_in
    assert f"{MERGE}?next=%2Fcart%2F" in text
    answer(client, "apart")
    request = client.get("/cart/").wsgi_request
    assert not render_to_string(include, {"request": request}, request=request).strip()


def test_guests_touch_no_session(client: Client) -> None:
    """CK-7: the state of a guest costs no query and no session."""
    put(client, TEA)
    response = client.get("/lists/state/")
    assert response.json()["ask"] is False
    assert not response.wsgi_request.session.accessed


# The answers --------------------------------------------------------------------------------------


def test_forget(client: Client, customer: User) -> None:
    """The device is empty, the account as it was."""
    put(client, TEA)
    put(client, POT, kind=SAVED, keep=True, is_open=False)
    client.force_login(customer)
    response = answer(client, "forget", next="/checkout/")
    assert (response.status_code, response.headers["Location"]) == (303, "/checkout/")
    assert cookies_in(client) == {}
    assert rows_of(customer) == {"lists": [], "items": [], "saves": []}


@pytest.mark.parametrize("text", ["", "yes", "\x00", "add\udcff"])
def test_another_answer_is_refused(client: Client, customer: User, text: str) -> None:
    """CK-3: 422 and the question again, with nothing lost; never a 500."""
    put(client, TEA)
    client.force_login(customer)
    before = cookies_in(client)
    response = client.post(
        MERGE, f"answer={quote(text, errors='surrogateescape')}&next=/checkout/", "application/x-www-form-urlencoded"
    )
    assert response.status_code == 422
    assert "Please choose one of the three." in response.content.decode()
    assert 'value="/checkout/"' in response.content.decode()
    assert (cookies_in(client), receipts_of(customer)) == (before, [])


@pytest.mark.parametrize("to", ["https://evil.example/", "//evil.example", "javascript:alert(1)", "\x00", "x" * 5000])
def test_next_stays_on_this_site(client: Client, customer: User, to: str) -> None:
    """An address of another site is left alone."""
    put(client, TEA)
    client.force_login(customer)
    assert client.get(MERGE, {"next": to}).status_code == 200
    assert answer(client, "apart", next=to).headers["Location"] == "/cart/"
    key = answer(client, "add", next=to).headers["Location"].split("/")[-2]
    assert answer(client, "add", next=to).headers["Location"] == f"{MERGE}{key}/"


def test_next_is_carried_to_the_end(client: Client, customer: User) -> None:
    """Login, question, receipt, undo: the way to the checkout stays at hand."""
    put(client, TEA)
    client.force_login(customer)
    to = answer(client, "add", next="/checkout/?a=1&b=2").headers["Location"]
    assert to == f"{MERGE}{last_receipt(customer).key}/?next=%2Fcheckout%2F%3Fa%3D1%26b%3D2"
    text = client.get(to).content.decode()
    assert 'href="/checkout/?a=1&amp;b=2"' in text
    undone = client.post(f"{to.partition('?')[0]}undo/", {"next": "/checkout/"})
    assert undone.headers["Location"] == f"{to.partition('?')[0]}?next=%2Fcheckout%2F"


def test_as_json(client: Client, customer: User) -> None:
    """Shops with their own front end get a word, the state and the address of the receipt."""
    put(client, TEA)
    client.force_login(customer)
    refused = client.post(MERGE, {}, headers=JSON)
    assert (refused.status_code, refused.json()["state"]["ask"]) == (422, True)
    added = client.post(MERGE, {"answer": "add"}, headers=JSON).json()
    assert added["state"]["counts"]["cart"] == 2
    assert added["state"]["ask"] is False
    undo = client.post(f"{added['receipt']}undo/", headers=JSON).json()
    assert undo["state"]["counts"]["cart"] == 0
    assert client.post(MERGE, {"answer": "apart"}, headers=JSON).json()["state"]["ask"] is False
    assert client.post(MERGE, {"answer": "forget"}, headers=JSON).json()["message"]
    assert Client().post(MERGE, {"answer": "add"}, headers=JSON).status_code == 401


def test_another_site_cannot_answer(customer: User) -> None:
    """A POST from elsewhere is refused."""
    client = Client(enforce_csrf_checks=True)
    put(client, TEA)
    client.force_login(customer)
    for site in ("cross-site", "same-site"):
        response = client.post(MERGE, {"answer": "add"}, headers={"Sec-Fetch-Site": site})
        assert response.status_code == 403
    assert receipts_of(customer) == []


def test_too_fast(client: Client, customer: User, monkeypatch: pytest.MonkeyPatch) -> None:
    """SL-6: the question again, with a word, and nothing lost."""
    monkeypatch.setattr(merging, "PER_MINUTE", 0)
    put(client, TEA)
    client.force_login(customer)
    response = answer(client, "add")
    assert response.status_code == 422
    assert "wait a minute" in response.content.decode()
    assert kept(client) == [("tea", 2)]


# Other people -------------------------------------------------------------------------------------


def test_another_person_at_this_computer(client: Client, customer: User) -> None:
    """CK-5: B logs in where A was a guest: nothing of A's in B's account or on B's pages, and A's things stay A's."""
    put(client, TEA)
    before = cookies_in(client)
    client.post("/enter/", {"username": "customer"})
    for path in ("/cart/", "/lists/state/", MERGE):
        assert b"Sencha" not in client.get(path).content
    client.post("/cart/add/", {"product_ref": "pot"})
    assert list(account_of(customer)[CART]) == [("pot", "")]
    client.post("/leave/")
    assert cookies_in(client) == before
    assert b"Sencha" in client.get("/cart/").content


def test_another_login_asks_anew(client: Client, customer: User) -> None:
    """An answer holds for the session of who gave it: the next one at this computer is asked for herself."""
    put(client, TEA)
    client.post("/enter/", {"username": "customer"})
    answer(client, "apart")
    other = make_user()
    # Without logging out in between, too.
    assert client.post("/enter/", {"username": other.username}).headers["Location"] == MERGE


def test_saving_in_the_request_that_logs_in(client: Client, customer: User) -> None:
    """SL-1: from the login on it goes to the account; the guest's things stay what they were, to the byte."""
    put(client, POT)
    before = cookies_in(client)
    response = client.post("/enter-and-save/", {"username": "customer"})
    assert response.content == b"1 as a guest"
    assert cookies_in(client) == before
    assert {kind: list(found) for kind, found in account_of(customer).items() if found} == {
        CART: [("tea", "")],
        SAVED: [("tea", "")],
    }


@pytest.mark.parametrize("number", [1, 20])
def test_queries(client: Client, customer: User, settings: Any, django_assert_num_queries: Any, number: int) -> None:
    """As many for one thing as for twenty: session and user, and what there is to read or write."""
    settings.THANKYOU_WISHLISTS = {"CATALOG": SETTINGS["CATALOG"]}
    put(client, *(Line(f"sku-{each}") for each in range(number)))
    client.force_login(customer)
    with django_assert_num_queries(2):
        client.get(MERGE)
    with django_assert_num_queries(2):
        client.get(f"{MERGE}?show=1")
    with django_assert_num_queries(3):
        client.get("/lists/state/")
    with django_assert_num_queries(ADD_QUERIES):
        url = answer(client, "add").headers["Location"]
    with django_assert_num_queries(3):
        client.get(url)
    with django_assert_num_queries(UNDO_QUERIES):
        client.post(f"{url}undo/")
    assert not ListItem.objects.exists()


#: With the session's, the user's, and savepoints.
ADD_QUERIES = 19
UNDO_QUERIES = 19
