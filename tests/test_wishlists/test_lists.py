"""Wish lists in the database: what an account does with them, and what stays true whatever it does."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.utils import timezone
from hypothesis import given, settings
from hypothesis import strategies as st

from wishlists.exceptions import ListFull, NameTaken, TooFast
from wishlists.lines import Line
from wishlists.lists import (
    change_item,
    clean_text,
    create_list,
    delete_list,
    find_list,
    forget_removed,
    move_items,
    put_all,
    put_back,
    put_on_list,
    rename,
    take_off,
)
from wishlists.models import ListItem, ProductList, Save
from wishlists.sharing import share

from .catalogs import PRODUCTS

pytestmark = pytest.mark.django_db

TEA, POT = PRODUCTS["tea"], PRODUCTS["pot"]


@pytest.fixture
def wishes(customer: User) -> ProductList:
    """A wish list of ``customer``."""
    return create_list(user=customer, name="Birthday")


@pytest.fixture
def stranger(django_user_model: type[User]) -> User:
    """Somebody else with an account."""
    return django_user_model.objects.create_user("stranger")


def on(row: ProductList) -> list[tuple[str, str, int]]:
    return [(item.product_ref, item.options, item.quantity) for item in row.items.order_by("pk")]


def test_a_new_list_is_private_and_found_by_its_owner_only(wishes: ProductList, customer: User, stranger: User) -> None:
    """SL-3, SL-4: a key of 128 bits; nobody else's account finds the list by it, and no link shows it."""
    assert len(wishes.key) == 22
    assert not wishes.is_shared
    assert find_list(user=customer, key=wishes.key) == wishes
    assert find_list(user=stranger, key=wishes.key) is None


@pytest.mark.parametrize("key", ["", "x", "x" * 22, "x" * 23, "\0" * 22, "\ud800" * 22, "ä" * 22, "x" * 21 + "\n"])
def test_an_unknown_key_finds_nothing(customer: User, key: str) -> None:
    """CK-3: whatever somebody sends as a key."""
    assert find_list(user=customer, key=key) is None


def test_single_lists_are_no_wish_lists(customer: User) -> None:
    """SL-3: the key of what is saved for later opens no wish list, and none of its verbs work on it."""
    saved = ProductList.objects.create(owner=customer, kind="saved")
    assert find_list(user=customer, key=saved.key) is None
    with pytest.raises(ProductList.DoesNotExist):
        put_on_list(list=saved, product_ref="tea")
    delete_list(list=saved)
    assert ProductList.objects.filter(pk=saved.pk).exists()


def test_no_more_lists_than_the_kind_allows(customer: User, stranger: User, settings: Any) -> None:
    """SL-6: lists per account; another account has its own."""
    settings.THANKYOU_WISHLISTS = {**settings.THANKYOU_WISHLISTS, "KINDS": {"wish": {"max_lists": 2}}}
    for name in ("one", "two"):
        create_list(user=customer, name=name)
    with pytest.raises(ListFull) as error:
        create_list(user=customer, name="three")
    assert error.value.code == "lists"
    assert "up to 2 wish lists" in str(error.value)
    create_list(user=stranger, name="one")


@pytest.mark.parametrize("name", ["Birthday", "birthday", " BIRTHDAY \n"])
def test_two_lists_of_one_name_could_not_be_told_apart(wishes: ProductList, customer: User, name: str) -> None:
    """A form sent twice makes one list."""
    with pytest.raises(NameTaken):
        create_list(user=customer, name=name)
    other = create_list(user=customer, name="Kitchen")
    with pytest.raises(NameTaken):
        rename(list=other, name=name)
    assert rename(list=wishes, name="BIRTHDAY").name == "BIRTHDAY"


@pytest.mark.parametrize("name", ["", " ", "\0", "\n\t", "\u202e", "x" * 81])
def test_a_name_has_letters_and_an_end(customer: User, name: str) -> None:
    with pytest.raises(ValueError, match="1 to 80"):
        create_list(user=customer, name=name)


@pytest.mark.parametrize(
    ("text", "clean"),
    [
        ("Mum\0's", "Mum's"),
        ("a\r\nb\tc", "a b c"),
        ("  a   b ", "a b"),
        ("\ud800x", "x"),
        ("<b>50</b>", "<b>50</b>"),
        ("👩‍👩‍👧 🎂", "👩‍👩‍👧 🎂"),
        ("قائمة", "قائمة"),
        ("\u202egnirts\u2066", "gnirts"),
        ("a\u2028b", "a b"),
        ("\x1b[31mred", "[31mred"),
    ],
)
def test_what_is_typed_is_cleaned_of_controls(text: str, clean: str) -> None:
    """Emoji with joiners and right-to-left writing stay; what breaks a line, a terminal or the page's direction goes."""
    assert clean_text(text) == clean


@given(text=st.text(max_size=400))
@settings(max_examples=200)
def test_cleaning_is_done_once(text: str) -> None:
    """CK-3: what comes out can be stored, stays as it is when cleaned again, and is no longer than it was."""
    clean = clean_text(text)
    assert clean_text(clean) == clean
    assert len(clean) <= len(text)
    assert "\0" not in clean
    clean.encode()


def test_putting_on_a_list_keeps_title_price_and_the_larger_quantity(wishes: ProductList, customer: User) -> None:
    """Twice is once; the note and priority stay unless new ones are given. Saving is noted for the shop's report."""
    item = put_on_list(list=wishes, product_ref="tea", quantity=3, card=TEA, note="green", priority=1)
    assert (item.title, item.price, item.quantity) == ("Sencha", TEA.price, 3)
    again = put_on_list(list=wishes, product_ref="tea", quantity=2, card=TEA)
    assert (again.pk, again.quantity, again.note, again.priority) == (item.pk, 3, "green", 1)
    again = put_on_list(list=wishes, product_ref="tea", note="white", priority=3)
    assert (again.pk, again.note, again.priority) == (item.pk, "white", 3)
    assert put_on_list(list=wishes, product_ref="tea", options="500g").pk != item.pk
    assert Save.objects.filter(owner=customer, product_ref="tea").count() == 1


@pytest.mark.parametrize(
    "wrong",
    [
        {"product_ref": ""},
        {"product_ref": "a\0b"},
        {"product_ref": "tea", "options": "\ud800"},
        {"product_ref": "tea", "quantity": 0},
        {"product_ref": "tea", "quantity": -1},
        {"product_ref": "tea", "note": "x" * 301},
        {"product_ref": "tea", "priority": 4},
    ],
)
def test_what_cannot_be_an_item_changes_nothing(wishes: ProductList, wrong: dict[str, Any]) -> None:
    with pytest.raises(ValueError):
        put_on_list(list=wishes, **wrong)
    assert on(wishes) == []


def test_a_list_has_its_limits(wishes: ProductList, settings: Any) -> None:
    """SL-6: products on a list, pieces of one, products in a minute; what is refused changes nothing."""
    base = settings.THANKYOU_WISHLISTS
    settings.THANKYOU_WISHLISTS = {**base, "KINDS": {"wish": {"max_items": 2}}, "MAX_QUANTITY": 5}
    with pytest.raises(ListFull) as error:
        put_on_list(list=wishes, product_ref="tea", quantity=6)
    assert error.value.code == "quantity"
    with pytest.raises(ListFull) as error:
        put_all(list=wishes, lines=[Line("a"), Line("b"), Line("c")])
    assert error.value.code == "lines"
    assert on(wishes) == []
    settings.THANKYOU_WISHLISTS = {**base, "ADDS_PER_MINUTE": 2}
    assert put_all(list=wishes, lines=[Line("a"), Line("b")]) == 2
    with pytest.raises(TooFast):
        put_on_list(list=wishes, product_ref="c")
    assert put_all(list=wishes, lines=[Line("c")], is_limited=False) == 1
    put_on_list(list=wishes, product_ref="a", quantity=2)  # nothing new is nothing fast


def test_changing_changes_what_is_given(wishes: ProductList) -> None:
    put_on_list(list=wishes, product_ref="tea", note="old")
    item = change_item(list=wishes, product_ref="tea", quantity=4)
    assert item is not None
    assert (item.quantity, item.note, item.priority) == (4, "old", 2)
    item = change_item(list=wishes, product_ref="tea", note="", priority=1)
    assert item is not None
    assert (item.quantity, item.note, item.priority) == (4, "", 1)
    assert change_item(list=wishes, product_ref="pot", quantity=1) is None
    with pytest.raises(ListFull):
        change_item(list=wishes, product_ref="tea", quantity=100)


def test_taking_off_one_list_takes_off_no_other(wishes: ProductList, customer: User, stranger: User) -> None:
    """Complaint 20 (peers.md): the same product stays on other lists, of the same account and of others."""
    others = [create_list(user=customer, name="Kitchen"), create_list(user=stranger, name="Birthday")]
    for row in (wishes, *others):
        put_on_list(list=row, product_ref="tea", card=TEA)
    assert take_off(list=wishes, keys=[("tea", "")]) == 1
    assert on(wishes) == []
    assert [on(row) for row in others] == [[("tea", "", 1)]] * 2
    assert take_off(list=wishes, keys=[("tea", "")]) == 0


def test_what_was_taken_off_comes_back_as_it_was(wishes: ProductList) -> None:
    """Undo: note, priority, price, date and all; once."""
    put_on_list(list=wishes, product_ref="tea", quantity=3, card=TEA, note="green", priority=1)
    put_on_list(list=wishes, product_ref="pot", options="red", card=POT)
    put_on_list(list=wishes, product_ref="gone")
    fields = ("product_ref", "options", "title", "quantity", "note", "priority", "price", "price_currency", "added_at")
    before = list(wishes.items.order_by("product_ref").values_list(*fields))
    assert take_off(list=wishes, keys=[("tea", ""), ("pot", "red"), ("gone", ""), ("never", "")]) == 3
    assert put_back(list=wishes) == 3
    assert list(wishes.items.order_by("product_ref").values_list(*fields)) == before
    assert put_back(list=wishes) == 0


def test_putting_back_replaces_nothing_and_fits(wishes: ProductList, settings: Any) -> None:
    """What was put on again meanwhile stays as it is now; a list that got full takes nothing, and can be asked again."""
    put_on_list(list=wishes, product_ref="tea", note="old")
    take_off(list=wishes, keys=[("tea", "")])
    put_on_list(list=wishes, product_ref="tea", note="new")
    assert put_back(list=wishes) == 0
    assert wishes.items.get().note == "new"
    take_off(list=wishes, keys=[("tea", "")])
    settings.THANKYOU_WISHLISTS = {**settings.THANKYOU_WISHLISTS, "KINDS": {"wish": {"max_items": 1}}}
    put_on_list(list=wishes, product_ref="pot")
    with pytest.raises(ListFull):
        put_back(list=wishes)
    take_off_quietly = ListItem.objects.filter(list=wishes)
    take_off_quietly.delete()
    assert put_back(list=wishes) == 1


def test_what_was_removed_long_ago_is_forgotten(wishes: ProductList) -> None:
    put_on_list(list=wishes, product_ref="tea", note="private")
    take_off(list=wishes, keys=[("tea", "")])
    assert forget_removed(before=timezone.now() - timedelta(days=1)) == 0
    assert forget_removed(before=timezone.now() + timedelta(days=1)) == 1
    assert put_back(list=wishes) == 0


def test_moving_makes_one_of_what_is_on_both(wishes: ProductList, customer: User) -> None:
    """The larger quantity, the more wanted priority, both notes; what is new there keeps all it has."""
    other = create_list(user=customer, name="Kitchen")
    put_on_list(list=wishes, product_ref="tea", quantity=3, note="green", priority=3)
    put_on_list(list=wishes, product_ref="pot", note="red", card=POT)
    put_on_list(list=other, product_ref="tea", quantity=2, note="in a tin", priority=1)
    assert move_items(source=wishes, target=other, keys=[("tea", ""), ("pot", ""), ("never", "")]) == 2
    assert on(wishes) == []
    tea, pot = other.items.order_by("-product_ref")
    assert (tea.quantity, tea.priority, tea.note) == (3, 1, "in a tin · green")
    assert (pot.note, pot.title, pot.price) == ("red", "Kyusu", POT.price)


def test_a_move_that_would_lose_a_note_leaves_it(wishes: ProductList, customer: User) -> None:
    other = create_list(user=customer, name="Kitchen")
    put_on_list(list=wishes, product_ref="tea", note="a" * 200)
    put_on_list(list=other, product_ref="tea", note="b" * 200)
    assert move_items(source=wishes, target=other, keys=[("tea", "")]) == 0
    assert wishes.items.get().note == "a" * 200


def test_moving_fits_or_does_not_happen(wishes: ProductList, customer: User, stranger: User, settings: Any) -> None:
    """SL-3, SL-6: to a list of the same owner only, and all of it."""
    other = create_list(user=customer, name="Kitchen")
    put_all(list=wishes, lines=[Line("a"), Line("b")])
    put_on_list(list=other, product_ref="c")
    with pytest.raises(ValueError, match="two owners"):
        move_items(source=wishes, target=create_list(user=stranger, name="Theirs"), keys=[("a", "")])
    settings.THANKYOU_WISHLISTS = {**settings.THANKYOU_WISHLISTS, "KINDS": {"wish": {"max_items": 2}}}
    with pytest.raises(ListFull):
        move_items(source=wishes, target=other, keys=[("a", ""), ("b", "")])
    assert [on(wishes), on(other)] == [[("a", "", 1), ("b", "", 1)], [("c", "", 1)]]
    assert move_items(source=wishes, target=wishes, keys=[("a", "")]) == 0
    assert move_items(source=wishes, target=other, keys=[("a", "")]) == 1


def test_moving_to_a_shared_list_is_an_addition(wishes: ProductList, customer: User) -> None:
    """SL-4: those who have the link see no later additions unless chosen, moved ones neither."""
    other = share(list=create_list(user=customer, name="Kitchen"))
    put_on_list(list=wishes, product_ref="tea")
    ListItem.objects.update(added_at=timezone.now() - timedelta(days=9))
    move_items(source=wishes, target=other, keys=[("tea", "")])
    assert other.shared_at is not None
    assert other.items.get().added_at > other.shared_at


def test_deleting_takes_one_list(wishes: ProductList, customer: User) -> None:
    """Safe to repeat; a verb on a deleted list says so."""
    other = create_list(user=customer, name="Kitchen")
    put_on_list(list=other, product_ref="tea")
    delete_list(list=ProductList.objects.get(pk=wishes.pk))
    delete_list(list=wishes)
    assert on(other) == [("tea", "", 1)]
    for verb in (put_on_list, change_item):
        with pytest.raises(ProductList.DoesNotExist):
            verb(list=wishes, product_ref="tea")
