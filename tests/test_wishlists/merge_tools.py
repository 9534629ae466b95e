"""What the tests of merging share: random lists of guests and accounts, and everything that there is to compare."""

from __future__ import annotations

import itertools
from collections.abc import Mapping
from typing import Any

from django.contrib.auth.models import User
from django.test import Client
from djmoney.money import Money
from hypothesis import strategies as st

from wishlists import cookies
from wishlists.conf import app_settings
from wishlists.cookies import Kept
from wishlists.kinds import CART, COMPARE, RECENT, SAVED, get_kind
from wishlists.lines import Line, Lines
from wishlists.models import ListItem, MergeReceipt, ProductList, Save

#: Small, so that random lists reach them.
KINDS = {
    "cart": {"max_items": 5},
    "saved": {"max_items": 6},
    "compare": {"max_items": 3},
    "recent": {"is_on": True, "max_items": 4},
}
SETTINGS = {"CATALOG": "tests.test_wishlists.catalogs.MemoryCatalog", "KINDS": KINDS}
NAMES = (CART, SAVED, COMPARE, RECENT)

MERGE = "/lists/merge/"
TEA = Line("tea", 2)
POT = Line("pot")
JSON = {"Accept": "application/json"}

#: Known ones, one that cannot be bought, and one that the shop does not know.
REFS = ("tea", "pot", "cup", "gone", "sku-1", "sku-2")
_numbers = itertools.count(1)


def make_user() -> User:
    return User.objects.create_user(f"user-{next(_numbers)}")


def lines(kind: str, *, least: int = 0) -> st.SearchStrategy[Lines]:
    """Lists of one kind as they can be."""
    policy_quantities = kind in (CART, SAVED)
    line = st.builds(
        Line,
        st.sampled_from(REFS),
        st.integers(1, 5) if policy_quantities else st.just(1),
        st.sampled_from(["", "L"]),
        st.booleans() if kind == SAVED else st.just(False),
    )
    most = KINDS[kind]["max_items"]
    return st.lists(line, min_size=least, max_size=most, unique_by=lambda each: each.key).map(
        lambda found: Lines(tuple(found), kind)
    )


def shelves() -> st.SearchStrategy[dict[str, Lines]]:
    """Lists of some kinds; an empty list is one that is there and empty."""
    return st.fixed_dictionaries({}, optional={kind: lines(kind) for kind in NAMES})


def kept_lists() -> st.SearchStrategy[dict[str, Kept]]:
    """What a browser's cookies may hold: open, kept, and left by an earlier visit."""

    def kept(kind: str) -> st.SearchStrategy[Kept]:
        if kind not in (CART, SAVED):
            return lines(kind, least=1).map(lambda found: Kept(found, Lines(kind=kind)))
        return st.builds(Kept, lines(kind), lines(kind), st.booleans()).map(
            lambda found: found if found.keep else Kept(found.lines, Lines(kind=kind))
        )

    return st.fixed_dictionaries({}, optional={kind: kept(kind).filter(bool) for kind in NAMES})


def fill_account(user: User, shelf: Mapping[str, Lines]) -> None:
    """Give an account these lists, with titles, prices and notes of an earlier day."""
    for kind, found in shelf.items():
        row = ProductList.objects.create(owner=user, kind=kind)
        for number, line in enumerate(found):
            ListItem.objects.create(
                list=row,
                product_ref=line.product_ref,
                options=line.options,
                quantity=line.quantity,
                parked=line.parked,
                title=f"An old title {number}",
                note="a note" if number % 2 else "",
                priority=1 + number % 3,
                price=Money("9.125", "EUR") if number % 2 else None,
            )


def fill_browser(client: Client, kept: Mapping[str, Kept], *, is_open: bool) -> None:
    """Give a browser these cookies; those that are kept are of this browser session, or were left by an earlier one."""
    for kind, found in kept.items():
        client.cookies[app_settings.cookie_name(kind)] = cookies.encode(found)
    names = sorted(kind for kind, found in kept.items() if found.keep and is_open)
    if names:
        client.cookies[app_settings.open_cookie_name] = ".".join(names)


def cookies_in(client: Client) -> dict[str, str]:
    """All cookies of ours that a browser holds, to the last byte, but for the message of the last POST."""
    ours = {name: morsel.value for name, morsel in client.cookies.items() if name.startswith("cart") and morsel.value}
    ours.pop(app_settings.note_cookie_name, None)
    return ours


def rows_of(user: User) -> dict[str, list[dict[str, Any]]]:
    """Every column of every row that an account has, but its receipts."""
    return {
        "lists": list(ProductList.objects.filter(owner=user).order_by("pk").values()),
        "items": list(ListItem.objects.filter(list__owner=user).order_by("pk").values()),
        "saves": list(Save.objects.filter(owner=user).order_by("pk").values()),
    }


def account_of(user: User) -> dict[str, dict[tuple[str, str], Line]]:
    """An account's lines by kind and key, in their order."""
    found: dict[str, dict[tuple[str, str], Line]] = {kind: {} for kind in NAMES}
    for item in ListItem.objects.filter(list__owner=user).select_related("list").order_by("pk"):
        found[item.list.kind][item.key] = item.line
    return found


def receipts_of(user: User) -> list[MergeReceipt]:
    return list(MergeReceipt.objects.filter(owner=user).order_by("pk"))


def last_receipt(user: User) -> MergeReceipt:
    return receipts_of(user)[-1]


def answer(client: Client, text: str, **more: Any) -> Any:
    """Answer the question of what should become of the things from before the login."""
    return client.post(MERGE, {"answer": text, **more})


def max_items(kind: str) -> int:
    return get_kind(kind).max_items
