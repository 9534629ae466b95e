"""An undo brings nothing back that the customer has told us to forget since (CK-5, CK-6, SL-1)."""

from __future__ import annotations

from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client

from wishlists.accounts import AccountShelf
from wishlists.kinds import CART, RECENT
from wishlists.lines import Line, Lines
from wishlists.merging import merge, undo
from wishlists.models import ListItem, ProductList

from .conftest import put
from .merge_tools import POT, SETTINGS, TEA, account_of, answer, cookies_in, fill_account, make_user, rows_of

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def small(site: Any) -> None:
    """Small limits, and a shop that offers to remember what was looked at."""
    site.THANKYOU_WISHLISTS = SETTINGS


def test_undo_after_the_list_was_begun_again(customer: User) -> None:
    """SL-1: recently viewed, merged, emptied, pruned and begun anew: what was looked at before does not come back."""
    views = [Line(f"sku-{number}") for number in range(4)]
    fill_account(customer, {RECENT: Lines(tuple(views), RECENT), CART: Lines((Line("pot"),))})
    receipt = merge(user=customer, guest={RECENT: Lines((TEA,), RECENT), CART: Lines((TEA,))})
    shelf = AccountShelf(customer)
    shelf.forget(RECENT)
    ProductList.objects.filter(kind=RECENT).delete()  # as prune_lists does it
    shelf.save(Lines((Line("cup"),), RECENT))
    undo(receipt=receipt)
    assert {kind: list(found) for kind, found in account_of(customer).items() if found} == {
        CART: [("pot", "")],
        RECENT: [("cup", "")],
    }


@pytest.mark.parametrize("is_begun_again", [False, True])
def test_undo_does_not_remember_again(customer: User, is_begun_again: bool) -> None:
    """CK-6: after "stop and forget" an undo brings nothing back, or remembering would be on again."""
    fill_account(customer, {RECENT: Lines(tuple(Line(f"sku-{number}") for number in range(4)), RECENT)})
    receipt = merge(user=customer, guest={RECENT: Lines((TEA, POT), RECENT)})
    shelf = AccountShelf(customer)
    shelf.forget(RECENT)
    if is_begun_again:
        shelf.save(Lines((Line("cup"),), RECENT))
    undo(receipt=receipt)
    assert list(account_of(customer)[RECENT]) == ([("cup", "")] if is_begun_again else [])


def test_rows_come_back_to_the_list_that_there_is(customer: User) -> None:
    """SL-1: a list that was pruned and begun again has another row; what an undo restores goes there."""
    fill_account(customer, {RECENT: Lines(tuple(Line(f"sku-{number}") for number in range(4)), RECENT)})
    receipt = merge(user=customer, guest={RECENT: Lines((TEA,), RECENT)})
    old = ProductList.objects.get(kind=RECENT)
    other = make_user()
    ProductList.objects.filter(pk=old.pk).update(owner=other)
    new = ProductList.objects.create(owner=customer, kind=RECENT)
    ListItem.objects.filter(list=old).update(list=new)
    old.delete()
    undo(receipt=receipt)
    assert list(account_of(customer)[RECENT]) == [(f"sku-{number}", "") for number in range(4)]


@pytest.mark.parametrize("way", ["device", "merge"])
def test_an_undo_brings_nothing_back_to_a_device_that_forgot(client: Client, customer: User, way: str) -> None:
    """CK-5, CK-6: "forget everything here" holds, also for what a merge had taken from here; the account is undone."""
    put(client, TEA)
    fill_account(customer, {CART: Lines((POT,))})
    client.force_login(customer)
    before = rows_of(customer)
    url = answer(client, "add").headers["Location"]
    if way == "device":
        client.post("/lists/device/", {"action": "forget"})
    else:
        answer(client, "forget")
    page = " ".join(client.get(url).content.decode().split())
    assert "Undoing gives your account back what it held before." in page
    for _click in range(2):
        assert client.post(f"{url}undo/").status_code == 303
        assert cookies_in(client) == {}
    assert rows_of(customer) == before


def test_what_is_merged_after_forgetting_can_be_undone_on_both_sides(client: Client, customer: User) -> None:
    """It forgets what was, not what comes."""
    put(client, TEA)
    client.force_login(customer)
    first = answer(client, "add").headers["Location"]
    client.post("/lists/device/", {"action": "forget"})
    put(client, POT)
    cookies = cookies_in(client)
    second = answer(client, "add").headers["Location"]
    client.post(f"{second}undo/")
    assert cookies_in(client) == cookies
    client.post(f"{first}undo/")
    assert cookies_in(client) == cookies
    assert account_of(customer)[CART] == {}


def test_forgetting_without_a_merge_touches_no_session(client: Client, customer: User) -> None:
    """CK-7: there is nothing to remember about it."""
    put(client, TEA)
    assert not client.post("/lists/device/", {"action": "forget"}).wsgi_request.session.accessed
    client.force_login(customer)
    assert not client.post("/lists/device/", {"action": "forget"}).wsgi_request.session.modified
