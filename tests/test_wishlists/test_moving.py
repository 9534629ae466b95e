"""Between the cart and what is saved for later: nothing gets lost, and what waits comes back."""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Iterator
from contextlib import nullcontext
from types import SimpleNamespace
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db import connection
from django.test import RequestFactory
from hypothesis import given
from hypothesis import strategies as st

from wishlists import moving
from wishlists.accounts import AccountShelf
from wishlists.catalog import ProductCard
from wishlists.exceptions import ListFull
from wishlists.kinds import CART, SAVED
from wishlists.lines import Line, Lines
from wishlists.lists import create_list, put_on_list
from wishlists.models import ListItem, ProductList
from wishlists.moving import Why, park, put_into_cart, put_on_wish_list, save_for_later, save_product, to_cart, to_saved
from wishlists.shelf import Shelf

from .catalogs import PRODUCTS, euro

REFS = ["tea", "pot", "cup", "free", "none", "dear", "unknown", "sku-1", "sku-2"]


def keys(*refs: str) -> list[tuple[str, str]]:
    return [(ref, "") for ref in refs]


@pytest.fixture
def guest() -> Shelf:
    """The lists of a guest."""
    return Shelf(RequestFactory().get("/"))


@pytest.fixture
def owner(customer: User) -> Shelf:
    """The lists of an account."""
    return shelf_of(customer)


def shelf_of(user: User) -> Shelf:
    request = RequestFactory().get("/")
    request.user = user
    return Shelf(request)


@pytest.fixture(params=["guest", "account"])
def shelf(request: pytest.FixtureRequest) -> Iterator[Shelf]:
    """Those of a guest, and those of an account: the same code."""
    if request.param == "account":
        request.getfixturevalue("db")
    return request.getfixturevalue("guest" if request.param == "guest" else "owner")


def fill(shelf: Shelf, kind: str, *lines: Line) -> None:
    shelf.save(Lines(lines, kind), cards=PRODUCTS)


def content(shelf: Shelf, kind: str) -> list[Line]:
    """What is kept, read anew."""
    if shelf.account is not None:
        return list(AccountShelf(shelf.account.user).get(kind))
    return list(shelf.get(kind))


# On values ------------------------------------------------------------------------------------------

LINES = st.lists(
    st.tuples(st.sampled_from(REFS), st.integers(1, 40), st.sampled_from(["", "100g", "250g"])),
    max_size=12,
    unique_by=lambda each: (each[0], each[2]),
).map(lambda rows: tuple(Line(ref, quantity, options) for ref, quantity, options in rows))


def pieces(*lists: Lines) -> dict[tuple[str, str], int]:
    found: dict[tuple[str, str], int] = {}
    for lines in lists:
        for line in lines:
            found[line.key] = found.get(line.key, 0) + line.quantity
    return found


@given(LINES, LINES)
def test_all_saved_and_all_put_back_keeps_every_option_and_quantity(cart: tuple[Line, ...], saved: tuple[Line, ...]):
    """SL-1, issue 4: variants and options are remembered; two and one are three."""
    first, second = Lines(cart, CART), Lines(saved, SAVED)
    there = to_saved(first, second, keys=[line.key for line in first])
    assert pieces(there.source, there.target) == pieces(first, second)
    assert (there.source, there.stayed) == (Lines((), CART), ())
    everything = {ref: ProductCard(ref=ref, title=ref, url="", price=euro(1)) for ref in REFS}
    back = to_cart(there.target, there.source, keys=[line.key for line in there.target], cards=everything)
    assert pieces(back.target) == pieces(first, second)
    assert (len(back.source), back.cut) == (0, ())


@given(LINES, LINES, st.sets(st.sampled_from(REFS)))
def test_what_cannot_go_into_the_cart_stays_as_it_was(cart: tuple[Line, ...], saved: tuple[Line, ...], refs: set[str]):
    """CK-4, SL-1: each line either moved or stayed with a reason, and stock is never exceeded by a move."""
    first, second = Lines(saved, SAVED), Lines(cart, CART)
    wanted = [line.key for line in first if line.product_ref in refs]
    moved = to_cart(first, second, keys=wanted, cards=PRODUCTS)
    assert {line.key for line in moved.lines} | {stay.line.key for stay in moved.stayed} == set(wanted)
    assert all(stay.line in moved.source.lines for stay in moved.stayed)
    assert {line.key for line in moved.source} == {line.key for line in first} - {line.key for line in moved.lines}
    for line in moved.lines:
        assert line.product_ref not in ("cup", "none", "dear", "unknown")
    for ref, card in PRODUCTS.items():
        if card.max_quantity and any(line.product_ref == ref for line in moved.lines):
            total = sum(line.quantity for line in moved.target if line.product_ref == ref)
            before = sum(line.quantity for line in second if line.product_ref == ref)
            assert total <= max(card.max_quantity, before)


@pytest.mark.parametrize(
    ("ref", "why"),
    [("cup", Why.UNAVAILABLE), ("none", Why.UNAVAILABLE), ("dear", Why.UNAVAILABLE), ("unknown", Why.GONE)],
)
def test_each_reason_is_told(ref: str, why: Why):
    moved = to_cart(Lines((Line(ref),), SAVED), Lines(), keys=keys(ref), cards=PRODUCTS)
    assert [(stay.why, str(stay.message)[:2]) for stay in moved.stayed] == [(why, "It")]
    assert not moved


def test_stock_is_shared_among_options_and_said():
    """Three in stock, two of them in the cart in another kind."""
    saved = Lines((Line("pot", 5, "red"), Line("pot", 1, "blue")), SAVED)
    moved = to_cart(saved, Lines((Line("pot", 2),)), keys=[("pot", "red"), ("pot", "blue")], cards=PRODUCTS)
    assert moved.target.lines == (Line("pot", 2), Line("pot", 1, "red"))
    assert moved.cut == (Line("pot", 1, "red"),)
    assert [(stay.line, stay.why) for stay in moved.stayed] == [(Line("pot", 1, "blue"), Why.TAKEN)]


def test_a_product_with_choices_needs_one():
    """Saved from a card in a grid, where nothing is chosen yet."""
    card = ProductCard(ref="tea", title="Sencha", url="", price=euro(2), choices={"bags": "In bags"})
    saved = Lines((Line("tea"), Line("tea", 1, "bags"), Line("tea", 1, "loose")), SAVED)
    moved = to_cart(saved, Lines(), keys=[line.key for line in saved], cards={"tea": card})
    assert [line.options for line in moved.lines] == ["bags"]
    assert [stay.why for stay in moved.stayed] == [Why.CHOICE, Why.UNAVAILABLE]


# On a shelf -----------------------------------------------------------------------------------------


def test_one_several_and_all_go_and_come_back(shelf: Shelf):
    """Issue 4: one, several or all; a guest's and an account's alike."""
    fill(shelf, CART, Line("tea", 2, "100g"), Line("free", 1), Line("sku-1", 7))
    save_for_later(shelf=shelf, keys=[("tea", "100g")], cards=PRODUCTS)
    assert content(shelf, SAVED) == [Line("tea", 2, "100g")]
    assert content(shelf, CART) == [Line("free"), Line("sku-1", 7)]
    save_for_later(shelf=shelf, keys=keys("free", "sku-1"), cards=PRODUCTS)
    assert content(shelf, CART) == []
    put_into_cart(shelf=shelf, keys=[("tea", "100g"), *keys("free", "sku-1")], cards=PRODUCTS)
    assert content(shelf, CART) == [Line("tea", 2, "100g"), Line("free"), Line("sku-1", 7)]
    assert content(shelf, SAVED) == []


def test_saving_a_product_twice_is_saving_it_once(shelf: Shelf):
    save_product(shelf=shelf, product_ref="cup", cards=PRODUCTS)
    save_product(shelf=shelf, product_ref="cup", cards=PRODUCTS)
    assert content(shelf, SAVED) == [Line("cup")]


def test_what_a_full_list_cannot_take_stays_and_is_named(shelf: Shelf, site: Any):
    """CK-2, SL-6: nothing is lost, and the customer learns which."""
    site.THANKYOU_WISHLISTS = {**site.THANKYOU_WISHLISTS, "KINDS": {"saved": {"max_items": 2}}}
    fill(shelf, SAVED, Line("sku-1"))
    fill(shelf, CART, Line("tea", 2), Line("free"), Line("sku-1", 3))
    moved = save_for_later(shelf=shelf, keys=keys("tea", "free", "sku-1"), cards=PRODUCTS)
    assert content(shelf, CART) == [Line("free")]
    assert content(shelf, SAVED) == [Line("sku-1", 4), Line("tea", 2)]
    assert [(stay.line, stay.why) for stay in moved.stayed] == [(Line("free"), Why.FULL)]
    assert "up to 2 products" in str(moved.stayed[0].message)


def test_more_pieces_than_a_line_may_have_stay(shelf: Shelf):
    fill(shelf, SAVED, Line("tea", 60))
    fill(shelf, CART, Line("tea", 60))
    moved = put_into_cart(shelf=shelf, keys=keys("tea"), cards=PRODUCTS)
    assert (content(shelf, SAVED), content(shelf, CART)) == ([Line("tea", 60)], [Line("tea", 60)])
    assert [stay.why for stay in moved.stayed] == [Why.FULL]


def test_a_cookie_without_room_takes_what_fits(guest: Shelf, site: Any):
    """CK-2: the guest's limit is bytes; each line is in exactly one list, and what stayed is named."""
    site.THANKYOU_WISHLISTS = {**site.THANKYOU_WISHLISTS, "KINDS": {"saved": {"max_bytes": 400}}}
    cart = [Line(hashlib.sha256(bytes([number])).hexdigest()[:20], 2) for number in range(30)]
    fill(guest, CART, *cart)
    moved = save_for_later(shelf=guest, keys=[line.key for line in cart], cards={})
    assert 0 < len(moved.lines) < 30
    assert [*guest.get(SAVED), *guest.get(CART)] == cart
    assert [stay.line for stay in moved.stayed] == list(guest.get(CART))
    again = save_for_later(shelf=guest, keys=[line.key for line in guest.get(CART)][:1], cards={})
    assert not again
    assert len(guest.get(CART)) + len(guest.get(SAVED)) == 30


def test_an_account_moves_both_lists_or_neither(owner: Shelf, monkeypatch: pytest.MonkeyPatch):
    """SL-1: the second list fails after the first was written."""
    fill(owner, CART, Line("tea", 2))
    real = AccountShelf.save

    def fail(self: AccountShelf, lines: Lines, **more: Any) -> None:
        if lines.kind == SAVED:
            raise ListFull("lines", kind=SAVED, limit=0)
        real(self, lines, **more)

    monkeypatch.setattr(AccountShelf, "save", fail)
    moved = save_for_later(shelf=owner, keys=keys("tea"), cards=PRODUCTS)
    assert not moved
    assert [stay.why for stay in moved.stayed] == [Why.FULL]
    assert (content(owner, CART), content(owner, SAVED)) == ([Line("tea", 2)], [])


def test_moving_a_whole_list_is_one_step_and_no_flood(owner: Shelf, site: Any):
    """SL-6: ADDS_PER_MINUTE is about saving one by one."""
    site.THANKYOU_WISHLISTS = {**site.THANKYOU_WISHLISTS, "ADDS_PER_MINUTE": 40}
    cart = [Line(f"sku-{number}") for number in range(30)]
    fill(owner, CART, *cart)
    save_for_later(shelf=owner, keys=[line.key for line in cart], cards=PRODUCTS)
    put_into_cart(shelf=owner, keys=[line.key for line in cart], cards=PRODUCTS)
    save_for_later(shelf=owner, keys=[line.key for line in cart], cards=PRODUCTS)
    assert content(owner, SAVED) == cart


def test_the_title_of_a_product_that_left_the_shop_goes_along(owner: Shelf, customer: User):
    """Issue 4: products that were deleted keep their title."""
    fill(owner, CART, Line("tea", 2))
    save_for_later(shelf=owner, keys=keys("tea"), cards={})
    item = ListItem.objects.get(list__owner=customer)
    assert (item.list.kind, item.title, item.quantity, item.price) == (SAVED, "Sencha", 2, None)


# Parking --------------------------------------------------------------------------------------------


def test_what_became_unavailable_is_parked_and_comes_back(shelf: Shelf):
    """Issue 4: by itself, with quantity and options; what the shop does not know stays in the cart."""
    fill(shelf, CART, Line("tea", 2), Line("cup", 3, "blue"), Line("unknown"))
    moved = park(shelf=shelf, cards=PRODUCTS)
    assert moved.lines == (Line("cup", 3, "blue"),)
    assert content(shelf, CART) == [Line("tea", 2), Line("unknown")]
    assert content(shelf, SAVED) == [Line("cup", 3, "blue", parked=True)]
    assert not park(shelf=shelf, cards=PRODUCTS), "safe to repeat"
    assert not put_into_cart(shelf=shelf, keys=[("cup", "blue")], cards=PRODUCTS)
    back = {"cup": ProductCard(ref="cup", title="Yunomi", url="", price=euro(15))}
    put_into_cart(shelf=shelf, keys=[("cup", "blue")], cards=back)
    assert content(shelf, CART)[-1] == Line("cup", 3, "blue")
    assert content(shelf, SAVED) == []


def test_saving_something_parked_oneself_ends_the_parking(shelf: Shelf):
    fill(shelf, SAVED, Line("cup", 3, "", True))
    save_product(shelf=shelf, product_ref="cup", cards=PRODUCTS)
    assert content(shelf, SAVED) == [Line("cup", 3)]


def test_what_was_saved_by_hand_does_not_become_parked(shelf: Shelf):
    """All pieces in one line, which says that it waits only if nobody saved any of it."""
    fill(shelf, CART, Line("cup", 2))
    fill(shelf, SAVED, Line("cup", 1))
    park(shelf=shelf, cards=PRODUCTS)
    assert (content(shelf, CART), content(shelf, SAVED)) == ([], [Line("cup", 3)])


def test_nothing_is_parked_where_nothing_can_be_saved(guest: Shelf, site: Any):
    site.THANKYOU_WISHLISTS = {**site.THANKYOU_WISHLISTS, "KINDS": {"saved": {"is_on": False}}}
    fill(guest, CART, Line("cup"))
    assert not park(shelf=guest, cards=PRODUCTS)
    assert content(guest, CART) == [Line("cup")]


# Wish lists -----------------------------------------------------------------------------------------


def test_saved_things_go_on_a_wish_list_all_or_nothing(owner: Shelf, customer: User, site: Any):
    site.THANKYOU_WISHLISTS = {**site.THANKYOU_WISHLISTS, "KINDS": {"wish": {"max_items": 2}}}
    row = create_list(user=customer, name="Birthday")
    put_on_list(list=row, product_ref="sku-1", card=PRODUCTS["sku-1"])
    fill(owner, SAVED, Line("tea", 2, "100g"), Line("free"))
    moved = put_on_wish_list(shelf=owner, list=row, keys=[("tea", "100g"), ("free", "")], cards=PRODUCTS)
    assert not moved
    assert len(moved.stayed) == 2
    assert len(content(owner, SAVED)) == 2
    assert put_on_wish_list(shelf=owner, list=row, keys=[("tea", "100g")], cards=PRODUCTS)
    assert content(owner, SAVED) == [Line("free")]
    item = row.items.get(product_ref="tea")
    assert (item.options, item.quantity, item.title) == ("100g", 2, "Sencha")


# Races ----------------------------------------------------------------------------------------------


def _run_both(*jobs: Any) -> None:
    errors: list[BaseException] = []
    start = threading.Barrier(len(jobs))

    def run(job: Any) -> None:
        try:
            start.wait(10)
            job()
        except BaseException as error:
            errors.append(error)
        finally:
            connection.close()

    threads = [threading.Thread(target=run, args=(job,)) for job in jobs]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert not errors, errors


@pytest.mark.postgres
@pytest.mark.django_db(transaction=True)
def test_two_tabs_that_move_the_same_lose_and_double_nothing(django_user_model: type[User]):
    user = django_user_model.objects.create_user("racer")
    cart = [Line(f"sku-{number}", 2) for number in range(10)]
    for _round in range(5):
        ProductList.objects.all().delete()
        fill(shelf_of(user), CART, *cart)
        fill(shelf_of(user), SAVED, Line("tea", 3))

        def save_all() -> None:
            save_for_later(shelf=shelf_of(user), keys=[line.key for line in cart], cards=PRODUCTS)

        def put_tea() -> None:
            put_into_cart(shelf=shelf_of(user), keys=keys("tea"), cards=PRODUCTS)

        _run_both(save_all, save_all, put_tea)
        shelf = shelf_of(user)
        assert pieces(shelf.get(CART), shelf.get(SAVED)) == {**{line.key: 2 for line in cart}, ("tea", ""): 3}


@pytest.mark.teeth
def test_without_the_transaction_a_failed_move_loses_things(owner: Shelf, monkeypatch: pytest.MonkeyPatch):
    """The guard of ``test_an_account_moves_both_lists_or_neither`` taken away: it would fail."""
    fill(owner, CART, Line("tea", 2))
    real = AccountShelf.save

    def fail(self: AccountShelf, lines: Lines, **more: Any) -> None:
        if lines.kind == SAVED:
            raise ListFull("lines", kind=SAVED, limit=0)
        real(self, lines, **more)

    monkeypatch.setattr(AccountShelf, "save", fail)
    monkeypatch.setattr(moving, "transaction", SimpleNamespace(atomic=nullcontext))
    save_for_later(shelf=owner, keys=keys("tea"), cards=PRODUCTS)
    assert (content(owner, CART), content(owner, SAVED)) == ([], [])
