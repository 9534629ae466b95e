"""What is past its time goes, as customers were told; what they keep stays."""

from __future__ import annotations

import threading
from dataclasses import asdict
from datetime import UTC, datetime, timedelta
from io import StringIO
from typing import Any

import pytest
import time_machine
from django.contrib.auth.models import User
from django.core.management import call_command
from django.db import connection, connections, transaction
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.django import TestCase

from wishlists import pruning
from wishlists.accounts import AccountShelf, lock_list
from wishlists.inquiries import answer, ask, close, reopen
from wishlists.lines import Line, Lines
from wishlists.models import (
    CatalogEvent,
    GiftMark,
    Inquiry,
    ItemNews,
    ListItem,
    MergeReceipt,
    ProductList,
    ProductWatch,
    Save,
)
from wishlists.pruning import prune
from wishlists.sharing import unshare

pytestmark = pytest.mark.django_db

NOW = datetime(2026, 11, 5, 12, tzinfo=UTC)
MODELS = (CatalogEvent, GiftMark, Inquiry, ItemNews, ListItem, MergeReceipt, ProductList, ProductWatch, Save)


def ago(days: float) -> datetime:
    return NOW - timedelta(days=days)


def everything() -> list[Any]:
    return [list(model.objects.order_by("pk").values()) for model in MODELS]


def counts(**more: int) -> dict[str, int]:
    """Nothing, but for what is said."""
    return {**dict.fromkeys(pruning.Pruned.__dataclass_fields__, 0), **more}


def gone(*, now: datetime = NOW) -> dict[str, int]:
    """Prune, after a look that must say the same and change nothing; once more finds nothing."""
    before = everything()
    would = asdict(prune(dry_run=True, now=now))
    assert everything() == before
    did = asdict(prune(now=now))
    assert would == did
    assert asdict(prune(now=now)) == counts()
    return did


@pytest.fixture
def ada() -> User:
    return User.objects.create_user("ada")


def a_list(owner: User, kind: str = "wish", *, days: float = 100, **more: Any) -> ProductList:
    return ProductList.objects.create(owner=owner, kind=kind, changed_at=ago(days), **more)


def test_nothing_is_nothing() -> None:
    assert gone() == counts()


def test_receipts_go_when_they_cannot_be_undone_any_more(ada: User) -> None:
    """UNDO_DAYS."""
    MergeReceipt.objects.create(owner=ada, created_at=ago(7.1))
    young = MergeReceipt.objects.create(owner=ada, created_at=ago(6.9))
    assert gone() == counts(receipts=1)
    assert list(MergeReceipt.objects.all()) == [young]


def test_questions_go_as_the_asker_was_told() -> None:
    """INQUIRY_DAYS after the answer or the closing; one that waits for an answer, also once more, stays as long again."""
    made = [ask(email=f"{n}@example.com", text=str(n), now=ago(999 if n < 5 else 359)) for n in range(6)]
    answer(inquiry=made[0], text="Yes.", by=None, now=ago(181))
    answer(inquiry=made[1], text="Yes.", by=None, now=ago(179))
    close(inquiry=made[2], now=ago(181))
    close(inquiry=made[3], now=ago(179))
    answer(inquiry=made[4], text="Yes.", by=None, now=ago(359))
    reopen(inquiry=made[4])
    assert gone() == counts(inquiries=2)
    assert sorted(Inquiry.objects.values_list("text", flat=True)) == ["1", "3", "4", "5"]


def test_what_nobody_answered_goes_too() -> None:
    """Advertising that nobody closed is not kept for ever: twice INQUIRY_DAYS, since the question or what came last."""
    ask(email="spam@example.com", text="Buy!", now=ago(361))
    ask(email="ada@example.com", text="Hello?", now=ago(359))
    reopened = ask(email="bob@example.com", text="Hello?", now=ago(999))
    answer(inquiry=reopened, text="Yes.", by=None, now=ago(361))
    reopen(inquiry=reopened)
    assert gone() == counts(inquiries=2)
    assert [inquiry.email for inquiry in Inquiry.objects.all()] == ["ada@example.com"]


def test_statistics_go_and_lists_stay(ada: User) -> None:
    """STATISTICS_DAYS; also of what was bought lately, because it is about who saved what."""
    item = ListItem.objects.create(list=a_list(ada), product_ref="tea", added_at=ago(999))
    Save.objects.create(owner=ada, product_ref="tea", saved_at=ago(401), bought_at=ago(1))
    Save.objects.create(owner=ada, product_ref="pot", saved_at=ago(399))
    assert gone() == counts(saves=1)
    assert list(ListItem.objects.all()) == [item]


def test_items_of_kinds_with_days_go(ada: User, settings: Any) -> None:
    """Comparisons and the recently viewed, in accounts as on devices; what customers keep has no end by itself."""
    for kind in ("cart", "saved", "wish", "compare", "recent"):
        row = a_list(ada, kind)
        ListItem.objects.create(list=row, product_ref="old", added_at=ago(31))
        ListItem.objects.create(list=row, product_ref="young", added_at=ago(29))
    assert gone() == counts(items=2)
    assert set(ListItem.objects.filter(product_ref="old").values_list("list__kind", flat=True)) == {
        "cart",
        "saved",
        "wish",
    }
    settings.THANKYOU_WISHLISTS = {**settings.THANKYOU_WISHLISTS, "KINDS": {"saved": {"days": 30}}}
    assert gone() == counts(items=1)


def test_gift_marks_go_when_a_list_is_not_shared_any_more(ada: User) -> None:
    """Thirty days after: its owner may share it again, and givers would buy twice."""
    for number, (shared, changed, marked) in enumerate(
        [(False, 31, 31), (True, 31, 31), (False, 29, 31), (False, 31, 29)]
    ):
        row = a_list(ada, days=changed, name=str(number), share_key=f"{number}".ljust(22, "x") if shared else None)
        GiftMark.objects.create(list=row, product_ref="tea", at=ago(marked))
    assert gone() == counts(gifts=1)
    assert sorted(GiftMark.objects.values_list("list__name", flat=True)) == ["1", "2", "3"]


def test_gift_marks_wait_for_thirty_days_after_the_link_went(ada: User) -> None:
    """From the day on which it was revoked, however long nobody has touched the list before."""
    row = a_list(ada, share_key="x" * 22, shared_at=ago(400))
    GiftMark.objects.create(list=row, product_ref="tea", at=ago(300))
    with time_machine.travel(ago(29), tick=False):
        unshare(list=row)
    assert gone() == counts()
    with time_machine.travel(ago(28), tick=False):
        # Twice is once.
        unshare(list=row)
    assert gone(now=NOW + timedelta(days=2)) == counts(gifts=1)


def test_news_goes_after_a_while(ada: User) -> None:
    """Ninety days; the proof that it was told goes with it, the item stays."""
    item = ListItem.objects.create(list=a_list(ada), product_ref="tea")
    for days in (91, 89):
        event = CatalogEvent.objects.create(kind="price_drop", product_ref="tea", at=ago(days))
        ItemNews.objects.create(item=item, event=event)
    assert gone() == counts(news=1, events=1)
    assert ItemNews.objects.get().event.at == ago(89)
    assert ListItem.objects.get() == item


def test_products_on_no_list_are_not_watched(ada: User) -> None:
    ListItem.objects.create(list=a_list(ada), product_ref="tea")
    for ref in ("tea", "pot"):
        ProductWatch.objects.create(product_ref=ref)
    assert gone() == counts(watches=1)
    assert ProductWatch.objects.get().product_ref == "tea"


def test_empty_lists_go_and_wish_lists_stay(ada: User) -> None:
    """Single lists come back by themselves; a wish list was made by its owner. One of today may be about to be filled."""
    a_list(ada, "cart")
    a_list(ada, "saved", days=0.9)
    a_list(ada, "wish")
    ListItem.objects.create(list=a_list(ada, "recent"), product_ref="tea", added_at=ago(1))
    ListItem.objects.create(list=a_list(ada, "compare"), product_ref="tea", added_at=ago(31))
    assert gone() == counts(items=1, lists=2)
    assert set(ProductList.objects.values_list("kind", flat=True)) == {"saved", "wish", "recent"}
    AccountShelf(ada).save(Lines((Line("tea"),)))
    assert AccountShelf(ada).get("cart")


def test_what_was_taken_off_is_forgotten(ada: User) -> None:
    """It can be put back for as long as a merge can be undone."""
    a_list(ada, days=7.1, last_removed=[["tea"]])
    a_list(ada, days=6.9, last_removed=[["pot"]])
    assert gone() == counts(removed=1)


def test_it_goes_piece_by_piece(ada: User, monkeypatch: pytest.MonkeyPatch, django_assert_max_num_queries: Any) -> None:
    """No transaction is long, and all pieces come to their turn."""
    monkeypatch.setattr(pruning, "CHUNK", 7)
    event = CatalogEvent.objects.create(kind="price_drop", product_ref="tea", at=ago(91))
    items = ListItem.objects.bulk_create(ListItem(list=a_list(ada), product_ref=f"sku-{n}") for n in range(25))
    ItemNews.objects.bulk_create(ItemNews(item=item, event=event) for item in items)
    Save.objects.bulk_create(Save(owner=ada, product_ref=f"sku-{n}", saved_at=ago(500)) for n in range(25))
    assert gone() == counts(news=25, events=1, saves=25)


def test_a_thousand_rows_cost_a_few_statements(ada: User, django_assert_max_num_queries: Any) -> None:
    Save.objects.bulk_create(Save(owner=ada, product_ref=f"sku-{n}", saved_at=ago(500)) for n in range(1000))
    with django_assert_max_num_queries(25):
        assert prune(now=NOW).saves == 1000


def test_the_command_says_what_it_did(ada: User) -> None:
    """And --dry-run what it would do."""
    MergeReceipt.objects.create(owner=ada, created_at=datetime(2020, 1, 1, tzinfo=UTC))
    out = StringIO()
    call_command("prune_lists", "--dry-run", stdout=out)
    assert MergeReceipt.objects.exists()
    call_command("prune_lists", stdout=out)
    assert not MergeReceipt.objects.exists()
    would, did = out.getvalue().splitlines()
    assert would.startswith("would_go: receipts=1 inquiries=0 ")
    assert did.startswith("gone: receipts=1 inquiries=0 ")


class AnyAge(TestCase):
    """Whatever the ages: what is younger than its time stays, what is older goes, and a second run finds nothing."""

    @settings(max_examples=25)
    @given(ages=st.lists(st.tuples(st.integers(0, 800), st.sampled_from(["receipt", "save", "compare"])), max_size=12))
    def test_ages(self, ages: list[tuple[int, str]]) -> None:
        ada = User.objects.create_user("ada")
        compare = ProductList.objects.create(owner=ada, kind="compare", changed_at=NOW)
        limits = {"receipt": 7, "save": 400, "compare": 30}
        for number, (days, what) in enumerate(ages):
            at = ago(days + 0.5)
            if what == "receipt":
                MergeReceipt.objects.create(owner=ada, created_at=at)
            elif what == "save":
                Save.objects.create(owner=ada, product_ref=str(number), saved_at=at)
            else:
                ListItem.objects.create(list=compare, product_ref=str(number), added_at=at)
        did = gone()
        for name, what in (("receipts", "receipt"), ("saves", "save"), ("items", "compare")):
            assert did[name] == sum(days >= limits[what] for days, each in ages if each == what)


# Beside customers --------------------------------------------------------------------------------


def _prune_while_somebody_saves(ada: User) -> None:
    """Hold an empty, old list as somebody who is about to put something on it; prune; put it there."""
    failures: list[BaseException] = []

    def clear() -> None:
        try:
            prune(now=NOW)
        except BaseException as error:
            failures.append(error)
        finally:
            connections.close_all()

    thread = threading.Thread(target=clear)
    with transaction.atomic():
        row = lock_list(user=ada, kind="saved")
        thread.start()
        thread.join(timeout=3)
        ListItem.objects.create(list=row, product_ref="tea")
    thread.join()
    if failures:
        raise failures[0]
    assert ListItem.objects.filter(product_ref="tea").exists()


@pytest.mark.postgres
@pytest.mark.django_db(transaction=True)
def test_a_list_that_somebody_is_busy_with_stays(ada: User) -> None:
    """Nothing that a customer saves at this instant is lost."""
    a_list(ada, "saved")
    _prune_while_somebody_saves(ada)


@pytest.mark.postgres
@pytest.mark.teeth
@pytest.mark.django_db(transaction=True)
def test_without_the_lock_it_would_be_lost(ada: User, monkeypatch: pytest.MonkeyPatch) -> None:
    """Teeth: a plain delete takes the list, and what was just put on it, or fails on it."""
    a_list(ada, "saved")

    def plainly(rows: Any, ids: list[int]) -> int:
        total, _by_model = rows.model._default_manager.filter(pk__in=ids).delete()
        return int(total)

    monkeypatch.setattr(pruning, "_delete", plainly)
    with pytest.raises(Exception):  # noqa: B017, PT011
        _prune_while_somebody_saves(ada)


@pytest.mark.postgres
@pytest.mark.django_db(transaction=True)
def test_two_at_once(ada: User) -> None:
    """Two cron jobs: each row goes once, and none of them fails."""
    assert connection.vendor == "postgresql"
    Save.objects.bulk_create(Save(owner=ada, product_ref=f"sku-{n}", saved_at=ago(500)) for n in range(3000))
    done: list[int] = []

    def run() -> None:
        try:
            done.append(prune(now=NOW).saves)
        finally:
            connections.close_all()

    threads = [threading.Thread(target=run) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(done) == 2
    assert sum(done) + Save.objects.count() == 3000
    prune(now=NOW)
    assert not Save.objects.exists()
