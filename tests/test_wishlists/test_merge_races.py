"""Two merges, or a merge and something else, at the same moment (SL-1)."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from django.contrib.auth.models import User

from tests.test_coupons.crowd import AtOnce, gather
from wishlists import merging
from wishlists.accounts import AccountShelf
from wishlists.exceptions import UndoOver
from wishlists.kinds import CART, SAVED
from wishlists.lines import Line, Lines, add
from wishlists.merging import merge, undo
from wishlists.models import MergeReceipt, ProductList

from .merge_tools import SETTINGS, account_of, fill_account, make_user, receipts_of, rows_of

NOW = datetime(2026, 3, 1, 12, 0, 0, 123456, tzinfo=UTC)

TEA = Line("tea", 2)
POT = Line("pot")


@pytest.fixture(autouse=True)
def small(site: Any) -> None:
    """Limits that random lists reach."""
    site.THANKYOU_WISHLISTS = SETTINGS


def cart(*lines: Line) -> dict[str, Lines]:
    return {CART: Lines(lines)}


def double_click(at_once: AtOnce, user: User, guest: dict[str, Lines]) -> list[MergeReceipt]:
    results = at_once(lambda _number: merge(user=user, guest=guest), threads=4)
    for result in results:
        assert isinstance(result, MergeReceipt), result
    return [result for result in results if isinstance(result, MergeReceipt)]


@pytest.mark.postgres
@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("is_used", [False, True], ids=["new", "used"])
def test_a_double_click_merges_once(is_used: bool) -> None:
    """SL-1: one union, one receipt, and its undo leaves what was there before; undone twice at once, one says so."""
    guest = {CART: Lines((TEA, POT)), SAVED: Lines((TEA,), SAVED)}
    with gather() as at_once:
        for _round in range(10):
            user = make_user()
            if is_used:
                fill_account(user, {CART: Lines((Line("tea"),)), SAVED: Lines((POT,), SAVED)})
            before = rows_of(user)
            receipts = double_click(at_once, user, guest)
            assert len({receipt.key for receipt in receipts}) == 1
            assert [receipt.key for receipt in receipts_of(user)] == [receipts[0].key]
            had = account_of(user)
            assert had[CART] == {("tea", ""): TEA, ("pot", ""): POT}
            undone = at_once(lambda _number, receipt=receipts[0]: undo(receipt=receipt), threads=4)
            assert sum(not isinstance(result, Exception) for result in undone) == 1
            assert {result.code for result in undone if isinstance(result, UndoOver)} == {"undone"}
            assert rows_of(user) == before


@pytest.mark.teeth
@pytest.mark.postgres
@pytest.mark.django_db(transaction=True)
def test_without_the_lock_a_double_click_merges_twice(monkeypatch: pytest.MonkeyPatch) -> None:
    """The test above would notice: without the lock several say that they brought the things."""

    def lock_nothing(*, user: User, kind: str) -> ProductList:
        return ProductList.objects.get_or_create(owner=user, kind=kind)[0]

    monkeypatch.setattr(merging, "lock_list", lock_nothing)
    with gather() as at_once:
        for _round in range(30):
            user = make_user()
            fill_account(user, {CART: Lines((Line("tea"),)), SAVED: Lines((POT,), SAVED)})
            results = at_once(lambda _n, user=user: merge(user=user, guest=cart(TEA, POT)), threads=4)
            if len(receipts_of(user)) > 1 or any(isinstance(result, Exception) for result in results):
                return
    pytest.fail("the lock is not needed, or never tried")


@pytest.mark.postgres
@pytest.mark.django_db(transaction=True)
def test_adding_while_a_merge_is_undone() -> None:
    """SL-1: a product added in another tab while an undo takes the list away is there afterwards, and nothing raises."""
    with gather() as at_once:
        for _round in range(10):
            user = make_user()
            receipt = merge(user=user, guest=cart(TEA))

            def work(number: int, user: User = user, receipt: MergeReceipt = receipt) -> Any:
                if number == 0:
                    return undo(receipt=receipt)
                shelf = AccountShelf(user)
                return shelf.save(add(Lines(), product_ref=f"sku-{number}")) if number else None

            results = at_once(work, threads=3)
            assert not [result for result in results if isinstance(result, Exception)]
            assert {ref for ref, _options in account_of(user)[CART]} == {"sku-1", "sku-2"}
