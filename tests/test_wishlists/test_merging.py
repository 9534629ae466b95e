"""A guest's lists come to an account, and go back: as properties of random lists, and by name (SL-1, DONE-WHEN 2)."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.contrib.auth.models import User
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from wishlists import merging
from wishlists.accounts import AccountShelf
from wishlists.exceptions import TooFast, UndoOver
from wishlists.kinds import CART, RECENT, SAVED
from wishlists.lines import Line, Lines, add, remove, set_quantity
from wishlists.merging import can_undo, merge, undo
from wishlists.models import ListItem, MergeReceipt, ProductList, Save
from wishlists.receipts import lines_from_json, tell_receipt
from wishlists.saves import record_purchase
from wishlists.signals import lists_merged, merge_undone

from .catalogs import MemoryCatalog
from .merge_tools import SETTINGS, account_of, fill_account, make_user, max_items, rows_of, shelves

NOW = datetime(2026, 3, 1, 12, 0, 0, 123456, tzinfo=UTC)

TEA = Line("tea", 2)
POT = Line("pot")


@pytest.fixture(autouse=True)
def small(site: Any) -> None:
    """Limits that random lists reach."""
    site.THANKYOU_WISHLISTS = SETTINGS


def cart(*lines: Line) -> dict[str, Lines]:
    return {CART: Lines(lines)}


# For any guest and any account --------------------------------------------------------------------


@pytest.mark.django_db
@hypothesis_settings(max_examples=30)
@given(guest=shelves(), account=shelves())
def test_add_is_the_union(guest: dict[str, Lines], account: dict[str, Lines]) -> None:
    """SL-1: the account has what both had, of each the larger quantity; what has no room is named, and nothing is lost."""
    user = make_user()
    fill_account(user, account)
    before = account_of(user)
    left_out = lines_from_json(merge(user=user, guest=guest).left_out)
    for kind, after in account_of(user).items():
        given_lines = {line.key: line for line in guest.get(kind, ())}
        if kind == RECENT:
            newest = [*[key for key in before[kind] if key not in given_lines], *given_lines][-max_items(kind) :]
            assert list(after) == (newest if given_lines else list(before[kind]))
            continue
        out = {line.key: line for line in left_out.get(kind, ())}
        assert {*after, *out} == {*before[kind], *given_lines}
        assert not {*after} & {*out}
        assert not out or len(after) == max_items(kind)
        # The account's lines keep their places; the guest's follow in their order.
        assert list(after)[: len(before[kind])] == list(before[kind])
        added = [key for key in given_lines if key in after and key not in before[kind]]
        assert list(after)[len(before[kind]) :] == added
        for key, line in after.items():
            both = [lines[key] for lines in (before[kind], given_lines) if key in lines]
            assert line.quantity == max(each.quantity for each in both)
            assert line.parked == all(each.parked for each in both)
        assert all(given_lines[key] == line for key, line in out.items())


@pytest.mark.django_db
@hypothesis_settings(max_examples=25)
@given(guest=shelves(), account=shelves())
def test_twice_is_once(guest: dict[str, Lines], account: dict[str, Lines]) -> None:
    """SL-1: the same again changes no row, and gets the same receipt."""
    user = make_user()
    fill_account(user, account)
    first = merge(user=user, guest=guest)
    rows = rows_of(user)
    assert merge(user=user, guest=guest) == first
    assert rows_of(user) == rows
    # Much later it is another merge, which has nothing to do.
    later = merge(user=user, guest=guest, now=first.created_at + timedelta(days=1))
    assert (later == first, later.changes) == (False, {})
    assert rows_of(user) == rows


@pytest.mark.django_db
@hypothesis_settings(max_examples=25)
@given(first=shelves(), second=shelves())
def test_the_order_of_two_merges_does_not_matter(first: dict[str, Lines], second: dict[str, Lines]) -> None:
    """SL-1: where all fits, two guests' lists come to the same things whoever comes first, but for their order."""
    one, other = make_user(), make_user()
    left = [merge(user=one, guest=guest).left_out for guest in (first, second)]
    left += [merge(user=other, guest=guest).left_out for guest in (second, first)]
    for kind, found in account_of(one).items():
        if kind != RECENT and not any(kind in each for each in left):
            assert found == account_of(other)[kind]


@pytest.mark.django_db
@hypothesis_settings(max_examples=30)
@given(guest=shelves(), account=shelves())
def test_undo_gives_back_the_exact_state_before(guest: dict[str, Lines], account: dict[str, Lines]) -> None:
    """SL-1: every column of every row, to the microsecond; once, and not twice."""
    user = make_user()
    fill_account(user, account)
    before = rows_of(user)
    receipt = merge(user=user, guest=guest)
    assert undo(receipt=receipt).stays == {}
    assert rows_of(user) == before
    with pytest.raises(UndoOver) as again:
        undo(receipt=receipt)
    assert again.value.code == "undone"
    assert rows_of(user)["items"] == before["items"]


@pytest.mark.django_db
@hypothesis_settings(max_examples=30)
@given(first=shelves(), second=shelves(), account=shelves(), newest_first=st.booleans())
def test_undoing_two_merges(
    first: dict[str, Lines], second: dict[str, Lines], account: dict[str, Lines], newest_first: bool
) -> None:
    """SL-1: undone in the reverse order they leave nothing; in any order nothing of the account's own is lost."""
    user = make_user()
    fill_account(user, account)
    before, had = rows_of(user), account_of(user)
    receipts = [merge(user=user, guest=first, now=NOW), merge(user=user, guest=second, now=NOW + timedelta(hours=1))]
    for receipt in reversed(receipts) if newest_first else receipts:
        undo(receipt=receipt, now=NOW + timedelta(hours=2))
    if newest_first:
        assert rows_of(user)["items"] == before["items"]
    for kind, lines in had.items():
        if kind != RECENT:
            now = account_of(user)[kind]
            assert {*lines} <= {*now}
            assert all(now[key].quantity >= line.quantity for key, line in lines.items())


@pytest.mark.django_db
@hypothesis_settings(max_examples=30)
@given(guest=shelves(), account=shelves(), data=st.data())
def test_what_was_changed_since_stays(guest: dict[str, Lines], account: dict[str, Lines], data: st.DataObject) -> None:
    """SL-1: an undo takes back the merge, and nothing that the customer did afterwards."""
    user = make_user()
    fill_account(user, account)
    before = account_of(user)
    receipt = merge(user=user, guest=guest)
    shelf = AccountShelf(user)
    touched: dict[tuple[str, str], int] = {}
    for line in shelf.get(CART):
        quantity = data.draw(st.sampled_from([line.quantity, 0, 7]))
        if quantity != line.quantity:
            touched[line.key] = quantity
    lines = shelf.get(CART)
    for (ref, options), quantity in touched.items():
        lines = set_quantity(lines, product_ref=ref, options=options, quantity=quantity)
    shelf.save(lines)
    stays = {change.key for change in undo(receipt=receipt).stays.get(CART, ())}
    after = account_of(user)[CART]
    brought = {line.key for line in guest.get(CART, ())}
    for key in {*before[CART], *after, *touched}:
        if touched.get(key) == 0:
            assert key not in after
        elif key in touched:
            assert after[key].quantity == 7
            assert key in stays or key not in brought or before[CART][key].quantity >= 1
        else:
            assert after.get(key) == before[CART].get(key)
    assert stays <= {*touched}


# By name ------------------------------------------------------------------------------------------


@pytest.mark.django_db
def test_new_items_have_their_title_and_price(customer: User) -> None:
    """SL-6: written with what the catalogue says today, by one question for all kinds; a deleted product has none."""
    merge(user=customer, guest={CART: Lines((TEA, Line("gone"))), SAVED: Lines((POT, TEA), SAVED)}, now=NOW)
    items = {(item.list.kind, item.product_ref): item for item in ListItem.objects.select_related("list")}
    assert items[CART, "tea"].title == "Sencha"
    assert str(items[SAVED, "pot"].price) == "€60.00"
    assert (items[CART, "gone"].title, items[CART, "gone"].price) == ("", None)
    assert {item.added_at for item in items.values()} == {NOW}
    assert [sorted(call) for call in MemoryCatalog.calls] == [["gone", "pot", "tea"]]


@pytest.mark.django_db
def test_what_has_no_room_is_named(customer: User) -> None:
    """SL-1, SL-6: the account's own never goes for a guest's; what stays out is in the receipt."""
    fill_account(customer, cart(*(Line(f"sku-{number}") for number in range(4))))
    receipt = merge(user=customer, guest=cart(Line("sku-1", 9), TEA, POT))
    assert list(account_of(customer)[CART]) == [(ref, "") for ref in ("sku-0", "sku-1", "sku-2", "sku-3", "tea")]
    assert lines_from_json(receipt.left_out) == cart(POT)
    [section] = tell_receipt(receipt, titles={}, names={})
    assert [told.product_ref for told in section.new] == ["tea"]
    assert [(told.product_ref, told.before, told.quantity) for told in section.more] == [("sku-1", 1, 9)]
    assert [told.product_ref for told in section.left_out] == ["pot"]


@pytest.mark.django_db
def test_a_kind_that_is_off_is_left_alone(customer: User, settings: Any) -> None:
    """SL-1: what the shop does not have, and wish lists, which guests have none of, do not come in."""
    settings.THANKYOU_WISHLISTS = {**SETTINGS, "KINDS": {"recent": {"is_on": False}}}
    guest = {RECENT: Lines((TEA,), RECENT), "wish": Lines((TEA,), "wish")}
    receipt = merge(user=customer, guest=guest)
    assert (receipt.changes, receipt.guest, receipt.left_out) == ({}, {}, {})
    assert not ProductList.objects.exists()


@pytest.mark.django_db
def test_an_undone_merge_was_no_saving(customer: User) -> None:
    """The report counts what is saved; an undone merge is taken back, not so what was bought, or is saved otherwise."""
    guest = {SAVED: Lines((TEA, POT, Line("free"), Line("sku-1")), SAVED)}
    fill_account(customer, {SAVED: Lines((Line("sku-1"),), SAVED)})
    receipt = merge(user=customer, guest=guest)
    wish = ProductList.objects.create(owner=customer, kind="wish", name="Birthday")
    ListItem.objects.create(list=wish, product_ref="pot")
    record_purchase(user=customer, product_refs=["free"])
    undo(receipt=receipt)
    assert set(Save.objects.values_list("product_ref", flat=True)) == {"pot", "free"}


@pytest.mark.django_db
def test_what_a_merge_brings_is_not_counted_as_fast(customer: User, settings: Any) -> None:
    """SL-6: a merge is one step, whatever it brings, also for the limit on what is saved in the minute after it."""
    settings.THANKYOU_WISHLISTS = {**SETTINGS, "ADDS_PER_MINUTE": 2}
    merge(user=customer, guest=cart(TEA, POT, Line("free")))
    shelf = AccountShelf(customer)
    shelf.save(add(shelf.get(CART), product_ref="sku-1"))
    with pytest.raises(TooFast):
        shelf.save(add(shelf.get(SAVED), product_ref="sku-2"))


@pytest.mark.django_db
def test_nobody_merges_twenty_times_a_minute(customer: User) -> None:
    """SL-6: each receipt is a row; a program that asks for more is told to wait, and nothing changes."""
    for number in range(merging.PER_MINUTE):
        merge(user=customer, guest=cart(Line("tea", number + 1)), now=NOW)
    rows = rows_of(customer)
    with pytest.raises(TooFast):
        merge(user=customer, guest=cart(Line("tea", 50)), now=NOW)
    assert rows_of(customer) == rows
    merge(user=customer, guest=cart(Line("tea", 50)), now=NOW + timedelta(minutes=2))


@pytest.mark.django_db
def test_undo_has_its_time(customer: User, settings: Any) -> None:
    """SL-1: UNDO_DAYS after the merge it stays."""
    settings.THANKYOU_WISHLISTS = {**SETTINGS, "UNDO_DAYS": 2}
    receipt = merge(user=customer, guest=cart(TEA), now=NOW)
    rows = rows_of(customer)
    late = NOW + timedelta(days=2)
    assert not can_undo(receipt, now=late)
    with pytest.raises(UndoOver) as error:
        undo(receipt=receipt, now=late)
    assert error.value.code == "late"
    assert rows_of(customer) == rows
    assert can_undo(receipt, now=late - timedelta(seconds=1))
    undo(receipt=receipt, now=late - timedelta(seconds=1))
    assert not ListItem.objects.exists()


@pytest.mark.django_db
def test_a_note_written_since_stays(customer: User) -> None:
    """SL-1: a line with a new note is the customer's, and is named."""
    receipt = merge(user=customer, guest={SAVED: Lines((TEA, POT), SAVED)})
    ListItem.objects.filter(product_ref="tea").update(note="For Ann")
    undone = undo(receipt=receipt)
    assert [change.title for change in undone.stays[SAVED]] == ["Sencha"]
    assert [item.product_ref for item in ListItem.objects.all()] == ["tea"]
    [section] = tell_receipt(undone.receipt, titles={}, names={})
    assert [told.title for told in section.stays] == ["Sencha"]


@pytest.mark.django_db
def test_what_was_taken_out_and_put_in_again_stays(customer: User) -> None:
    """SL-1: the same product with the same quantity, but put there by hand."""
    receipt = merge(user=customer, guest=cart(POT))
    shelf = AccountShelf(customer)
    shelf.save(remove(shelf.get(CART), product_ref="pot"))
    shelf.save(add(shelf.get(CART), product_ref="pot"))
    assert [change.key for change in undo(receipt=receipt).stays[CART]] == [("pot", "")]
    assert list(account_of(customer)[CART]) == [("pot", "")]


@pytest.mark.django_db
def test_the_news_is_told_after_commit(
    customer: User, django_capture_on_commit_callbacks: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """lists_merged and merge_undone, each once; a receiver that raises disturbs nobody."""
    heard: list[Any] = []

    def hear(signal: Any, **kwargs: Any) -> None:
        heard.append((signal, kwargs["sender"], kwargs["receipt"], kwargs["user"]))
        raise RuntimeError

    for signal in (lists_merged, merge_undone):
        monkeypatch.setattr(signal, "receivers", [])
        signal.connect(hear, weak=False)
    with django_capture_on_commit_callbacks(execute=True):
        receipt = merge(user=customer, guest=cart(TEA))
        assert merge(user=customer, guest=cart(TEA)) == receipt
        assert heard == []
    with django_capture_on_commit_callbacks(execute=True):
        undo(receipt=receipt)
        with pytest.raises(UndoOver):
            undo(receipt=receipt)
    expected = (MergeReceipt, receipt, customer)
    assert heard == [(lists_merged, *expected), (merge_undone, *expected)]


@pytest.mark.django_db
@pytest.mark.parametrize("number", [1, 20])
def test_the_number_of_queries_does_not_depend_on_the_lines(
    customer: User, settings: Any, django_assert_max_num_queries: Any, number: int
) -> None:
    """As many for one line as for twenty, of all kinds, new and known."""
    settings.THANKYOU_WISHLISTS = {
        "CATALOG": SETTINGS["CATALOG"],
        "KINDS": {"recent": {"is_on": True, "max_items": 30}},
    }
    known = [Line(f"sku-{each}") for each in range(number)]
    fill_account(customer, {kind: Lines(tuple(known), kind) for kind in (CART, SAVED, RECENT)})
    lines = [Line(f"sku-{each}", 2) for each in range(2 * number)]
    guest = {kind: Lines(tuple(lines), kind) for kind in (CART, SAVED, RECENT)}
    with django_assert_max_num_queries(32) as merging_queries:
        receipt = merge(user=customer, guest=guest)
    with django_assert_max_num_queries(32) as undoing:
        undo(receipt=receipt)
    assert (len(merging_queries), len(undoing)) == QUERIES


#: Of a merge and its undo, over three kinds, with savepoints.
QUERIES = (19, 17)
