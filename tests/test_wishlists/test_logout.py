"""After logging out nothing of an account is left in the browser (SL-2)."""

from __future__ import annotations

import json
from typing import Any

import pytest
from django.contrib.auth.models import AnonymousUser, User
from django.contrib.auth.signals import user_logged_out
from django.core import signing
from django.test import Client, RequestFactory
from django.urls import NoReverseMatch, get_resolver, reverse

from wishlists import cookies, notes
from wishlists.conf import app_settings
from wishlists.givers import cookie_name, new_giver, write_giver
from wishlists.kinds import CART, COMPARE, KINDS, RECENT, SAVED
from wishlists.lines import Line, Lines

from .conftest import kept, put
from .merge_tools import account_of, cookies_in, fill_account

pytestmark = pytest.mark.django_db

#: Words that are on pages only if something of the account is.
TITLES = ("Sencha", "Kyusu", "An old title")


@pytest.fixture(autouse=True)
def doors(site: Any) -> None:
    """A site with ways to log in and out, and all kinds of lists."""
    site.ROOT_URLCONF = "tests.test_wishlists.merge_urls"
    site.LOGIN_URL = "/guarded/"
    site.THANKYOU_WISHLISTS = {
        "CATALOG": "tests.test_wishlists.catalogs.MemoryCatalog",
        "KINDS": {"recent": {"is_on": True}},
    }


def pages() -> list[str]:
    """The address of every page of the app that needs no key."""
    found = []
    for name in get_resolver("wishlists.urls").reverse_dict:
        try:
            found.append(reverse(f"thankyou_wishlists:{name}"))
        except NoReverseMatch:
            continue
    return sorted(found)


def as_read(client: Client) -> str:
    """Everything that can be read out of the cookies that a browser holds, in one text."""
    texts = []
    for name, morsel in client.cookies.items():
        texts.append(f"{name}={morsel.value}")
        for kind in KINDS:
            texts.append(repr(cookies.decode(morsel.value, kind=kind)))
        try:
            texts.append(json.dumps(signing.loads(morsel.value, salt=notes.SALT)))
        except signing.BadSignature:
            continue
    return "\n".join(texts)


def use_everything(client: Client, user: User) -> None:
    """Look at and save things in every way that sets a cookie, with the account's things in every kind of list."""
    tea = Line("tea")
    fill_account(user, {kind: Lines((tea,), kind) for kind in (CART, SAVED, COMPARE, RECENT)})
    client.post("/enter/", {"username": user.username})
    for page in pages():
        client.get(page)
    client.post("/cart/add/", {"product_ref": "pot", "next": "/plain/"})
    # A message that nobody came to read: it names the product.
    client.post("/cart/change/", {"product_ref": "pot", "quantity": "2"})
    assert "pot" in as_read(client)


def test_nothing_of_the_account_is_left(client: Client, customer: User) -> None:
    """SL-2: log in, look, save, log out: every page is empty, and no cookie holds a thing of the account."""
    use_everything(client, customer)
    client.post("/leave/")
    assert cookies_in(client) == {}
    assert not client.cookies[app_settings.note_cookie_name].value
    assert not any(ref in as_read(client) for ref in ("pot", "tea"))
    for page in pages():
        text = b"".join(client.get(page, follow=True)).decode()
        assert not [title for title in TITLES if title in text], page
    assert client.get("/lists/state/").json() == {
        **client.get("/lists/state/").json(),
        "counts": {CART: 0, SAVED: 0, COMPARE: 0, RECENT: 0},
        "saved": [],
        "left": 0,
        "ask": False,
    }
    assert list(account_of(customer)[CART]) == [("tea", ""), ("pot", "")]


def test_a_guests_things_are_as_before(client: Client, customer: User) -> None:
    """SL-2, CK-5: what was on the device before the login is there afterwards, no more and no less."""
    put(client, Line("free", 2))
    put(client, Line("sku-1"), kind=SAVED, keep=True)
    before = cookies_in(client)
    use_everything(client, customer)
    client.post("/leave/")
    assert cookies_in(client) == before


def test_after_an_undo_the_device_has_the_guests_things(client: Client, customer: User) -> None:
    """SL-2: merged, undone, logged out: the guest's line as it was, without what the account had of it."""
    fill_account(customer, {CART: Lines((Line("free", 9), Line("tea")))})
    put(client, Line("free", 2))
    client.post("/enter/", {"username": "customer"})
    url = client.post("/lists/merge/", {"answer": "add"}).headers["Location"]
    client.post(f"{url}undo/")
    client.post("/leave/")
    assert kept(client) == [("free", 2)]
    assert client.get(url).status_code == 302


def test_a_giver_is_nobody_after_logging_out(client: Client, customer: User) -> None:
    """SL-2: what somebody marked on a shared list is not shown as one's own to the next at this computer."""
    client.force_login(customer)
    response = client.get("/plain/")
    write_giver(response, new_giver())
    client.cookies[cookie_name()] = response.cookies[cookie_name()].value
    client.post("/leave/")
    assert cookies_in(client) == {}


def test_saving_in_the_request_that_logs_out(client: Client, customer: User) -> None:
    """From there on it is a guest's cart: a new one, in the cookie."""
    fill_account(customer, {CART: Lines((Line("tea"), Line("pot")))})
    client.post("/enter/", {"username": "customer"})
    assert client.post("/leave-and-save/").content == b"2 in the account"
    assert kept(client) == [("free", 1)]
    assert list(account_of(customer)[CART]) == [("tea", ""), ("pot", "")]


def test_bad_news_is_not_told_at_every_login(client: Client, customer: User) -> None:
    """Complaint 23: asked once in a session; what was said once is not said again."""
    put(client, Line("none"))
    client.post("/enter/", {"username": "customer"})
    client.post("/lists/merge/", {"answer": "add"})
    client.post("/leave/")
    assert client.post("/enter/", {"username": "customer"}).headers["Location"] == "/plain/"
    assert app_settings.note_cookie_name not in client.cookies or not client.cookies["cart_note"].value


def test_logging_out_outside_of_a_request_with_lists(customer: User) -> None:
    """Scripts and other middlewares log people out, too."""
    request = RequestFactory().get("/")
    request.user = AnonymousUser()
    for each in (request, None):
        user_logged_out.send(sender=User, request=each, user=customer)
