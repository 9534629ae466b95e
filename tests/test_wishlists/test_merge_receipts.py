"""The receipt of a merge and its undo, through the front door (SL-1, SL-3)."""

from __future__ import annotations

from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.utils import timezone

from wishlists.kinds import CART
from wishlists.lines import Line, Lines
from wishlists.models import MergeReceipt

from .catalogs import MemoryCatalog
from .conftest import kept, put
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
    last_receipt,
    make_user,
    receipts_of,
)

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def doors(site: Any) -> None:
    """A site with ways to log in, and limits that random lists reach."""
    site.ROOT_URLCONF = "tests.test_wishlists.merge_urls"
    site.LOGIN_URL = "/accounts/login/"
    site.THANKYOU_WISHLISTS = SETTINGS


def test_the_receipt_says_what_happened(client: Client, customer: User) -> None:
    """SL-1: what came in, what was there already, what did not fit; titles of deleted products included."""
    fill_account(customer, {CART: Lines((Line("sku-1"), Line("sku-2", 3), Line("sku-3"), Line("sku-4")))})
    put(client, Line("sku-1", 4), Line("sku-2"), TEA, POT)
    client.force_login(customer)
    page = client.get(answer(client, "add").headers["Location"]).content.decode()
    words = " ".join(page.split())
    headings = ("Came in", "Were there already, now", "Were there already</h3>", "Did not fit")
    came, more, present, out = (words.index(f"<h3>{text}") for text in headings)
    assert came < words.index("Sencha") < more < words.index("4 × Thing 1") < present
    assert present < words.index("Thing 2") < out < words.index("Kyusu")
    assert kept(client) == [("pot", 1)]
    del MemoryCatalog.products["tea"]
    assert "Sencha" in client.get(f"{MERGE}{last_receipt(customer).key}/").content.decode()


def test_titles_are_text(client: Client, customer: User) -> None:
    """What the shop calls its products is no markup."""
    put(client, Line("cup"))
    client.force_login(customer)
    assert "Yunomi &lt;b&gt;" in client.get(f"{MERGE}?show=1").content.decode()
    assert "Yunomi &lt;b&gt;" in client.get(answer(client, "add").headers["Location"]).content.decode()


def test_receipts_are_their_owners(client: Client, customer: User) -> None:
    """SL-3: foreign and unknown ones are the same 404; a guest is sent to the login."""
    put(client, TEA)
    client.force_login(customer)
    url = answer(client, "add").headers["Location"]
    other = Client()
    other.force_login(make_user())
    for path in (url, f"{MERGE}{'x' * 22}/"):
        assert other.get(path).status_code == 404
        assert other.post(f"{path}undo/").status_code == 404
        assert Client().get(path).headers["Location"] == f"/accounts/login/?next={path}"
        assert Client().post(f"{path}undo/").headers["Location"] == f"/accounts/login/?next={path}undo/"
    assert account_of(customer)[CART] == {("tea", ""): TEA}
    assert client.get(f"{url}undo/").headers["Location"] == url


def test_undo_is_offered_where_the_things_came_from(client: Client, customer: User) -> None:
    """On another device, or after a new login, the receipt can be read, but the things do not come to that device."""
    put(client, TEA)
    client.force_login(customer)
    url = answer(client, "add").headers["Location"]
    assert f"{url}undo/" in client.get(url).content.decode()
    elsewhere = Client()
    elsewhere.force_login(customer)
    page = elsewhere.get(url).content.decode()
    assert "Sencha" in page
    assert "undo/" not in page
    assert elsewhere.post(f"{url}undo/").status_code == 404
    client.post("/leave/")
    client.force_login(customer)
    assert client.post(f"{url}undo/").status_code == 404
    assert cookies_in(client) == cookies_in(elsewhere) == {}
    assert account_of(customer)[CART] == {("tea", ""): TEA}


def test_after_an_undo_nothing_is_pushed(client: Client, customer: User) -> None:
    """The things are back; the question is a link, and is not asked by itself."""
    put(client, TEA)
    client.force_login(customer)
    url = answer(client, "add").headers["Location"]
    client.post(f"{url}undo/")
    page = client.get(url).content.decode()
    assert "Your account is as it was before." in page
    assert f'href="{MERGE}"' in page
    assert client.get("/lists/state/").json()["ask"] is False
    answer(client, "add")
    assert len(receipts_of(customer)) == 2
    assert account_of(customer)[CART] == {("tea", ""): TEA}


def test_a_second_click_on_undo(client: Client, customer: User) -> None:
    """The browser may have thrown the first answer away: the second brings the cookies too; much later it does not."""
    put(client, TEA)
    client.force_login(customer)
    before = cookies_in(client)
    url = answer(client, "add").headers["Location"]
    client.post(f"{url}undo/")
    client.cookies.pop("cart")
    client.post(f"{url}undo/")
    assert cookies_in(client) == before
    answer(client, "forget")
    MergeReceipt.objects.update(undone_at=timezone.now() - timezone.timedelta(minutes=5))
    assert "This was undone already." in client.get(client.post(f"{url}undo/").headers["Location"]).content.decode()
    assert client.post(f"{url}undo/", headers=JSON).status_code == 409
    assert "cart" not in cookies_in(client)


def test_a_second_click_on_add_gets_the_same_receipt(client: Client, customer: User) -> None:
    """Whether the browser has heard of the first answer or not."""
    put(client, TEA)
    before = client.cookies["cart"].value
    client.force_login(customer)
    url = answer(client, "add").headers["Location"]
    assert answer(client, "add").headers["Location"] == url
    client.cookies["cart"] = before
    assert answer(client, "add").headers["Location"] == url
    assert kept(client) == []


def test_undo_says_what_stayed(client: Client, customer: User) -> None:
    """SL-1: a line that was changed since is the customer's."""
    put(client, TEA, POT)
    client.force_login(customer)
    url = answer(client, "add").headers["Location"]
    client.post("/cart/change/", {"product_ref": "tea", "quantity": 7})
    client.post(f"{url}undo/")
    words = " ".join(client.get(url).content.decode().split())
    assert words.index("You have changed these since") < words.index("7 × Sencha" if "7 ×" in words else "Sencha")
    assert "Kyusu" not in words
    assert {key: line.quantity for key, line in account_of(customer)[CART].items()} == {("tea", ""): 7}
    assert kept(client) == [("tea", 2), ("pot", 1)]


def test_undo_under_a_new_key(client: Client, customer: User, settings: Any) -> None:
    """Cookies that cannot be read any more are written anew, so that nothing is lost."""
    put(client, TEA, POT)
    client.force_login(customer)
    url = answer(client, "add").headers["Location"]
    MergeReceipt.objects.update(cookies={CART: "signed with another key", "open": 7})
    assert client.post(f"{url}undo/").status_code == 303
    assert kept(client) == [("tea", 2), ("pot", 1)]


@pytest.mark.parametrize("clicks", [1, 2])
def test_what_was_bought_since_does_not_come_back(client: Client, customer: User, clicks: int) -> None:
    """Nobody wants it twice: neither from the account nor from the device; also by a second click on "Undo"."""
    put(client, TEA, POT)
    client.force_login(customer)
    answer(client, "add")
    receipt = last_receipt(customer)
    client.post("/cart/change/", {"product_ref": TEA.product_ref, "options": TEA.options, "quantity": 0})
    for _click in range(clicks):
        client.post(f"{MERGE}{receipt.key}/undo/")
    assert kept(client) == [(POT.product_ref, POT.quantity)]
