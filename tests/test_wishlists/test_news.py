"""News from the catalogue: what is told, to whom, once, and in bounded memory."""

from __future__ import annotations

import io
import tracemalloc
from collections.abc import Iterable, Iterator
from dataclasses import replace
from datetime import timedelta
from typing import Any, ClassVar

import pytest
from django.contrib.auth.models import AnonymousUser, User
from django.core.management import CommandError, call_command
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from djmoney.money import Money

from wishlists import signals
from wishlists.catalog import ProductCard
from wishlists.models import CatalogEvent, ItemNews, ListItem, ProductList, ProductWatch
from wishlists.news import finding, telling
from wishlists.news.finding import find_news
from wishlists.news.happenings import Happening, Look, compare, look_at
from wishlists.news.telling import fresh_news, news_of, tell_waiting

pytestmark = pytest.mark.django_db

PRICE_DROP, BACK, SELLING_OUT = (
    CatalogEvent.Kind.PRICE_DROP,
    CatalogEvent.Kind.BACK_IN_STOCK,
    CatalogEvent.Kind.SELLING_OUT,
)


class Shop:
    """A catalogue whose prices and stock a test changes, and which keeps its lowest prices if told so."""

    cards: ClassVar[dict[str, ProductCard]] = {}
    lowest: ClassVar[dict[str, Money]] = {}
    asked: ClassVar[list[tuple[str, int]]] = []

    def get_products(self, *, refs: Iterable[str]) -> dict[str, ProductCard]:
        refs = list(refs)
        self.asked.append(("products", len(refs)))
        return {ref: self.cards[ref] for ref in refs if ref in self.cards}

    def get_lowest_prices(self, *, refs: Iterable[str], days: int = 30) -> dict[str, Money]:
        refs = list(refs)
        self.asked.append(("lowest", len(refs)))
        return {ref: self.lowest[ref] for ref in refs if ref in self.lowest}

    @classmethod
    def set(cls, ref: str = "tea", price: Any = 10, *, currency: str = "EUR", **values: Any) -> None:
        cls.cards[ref] = ProductCard(ref=ref, title=ref.title(), url=f"/{ref}/", price=Money(price, currency), **values)

    @classmethod
    def sell_out(cls, ref: str = "tea") -> None:
        cls.cards[ref] = replace(cls.cards[ref], available=False)

    @classmethod
    def restock(cls, ref: str = "tea") -> None:
        cls.cards[ref] = replace(cls.cards[ref], available=True)


@pytest.fixture(autouse=True)
def shop(settings: Any, site: Any) -> type[Shop]:
    settings.THANKYOU_WISHLISTS = {"CATALOG": f"{__name__}.Shop"}
    Shop.cards, Shop.lowest, Shop.asked = {}, {}, []
    Shop.set()
    return Shop


@pytest.fixture(autouse=True)
def heard() -> Iterator[list[tuple[str, list[int]]]]:
    """What receivers of the three signals are told: kind, and the items' keys."""
    calls: list[tuple[str, list[int]]] = []

    def note(sender: Any, event: CatalogEvent, items: list[ListItem], **_more: Any) -> None:
        assert sender is CatalogEvent
        calls.append((event.kind, [item.pk for item in items]))

    named = (signals.price_dropped, signals.back_in_stock, signals.selling_out)
    for signal in named:
        signal.connect(note)
    yield calls
    for signal in named:
        signal.disconnect(note)


def save(
    user: User, ref: str = "tea", *, kind: str = "saved", price: Any = 10, currency: str = "EUR", **values: Any
) -> ListItem:
    """Put a product on a list, as if it had cost so much."""
    row, _made = ProductList.objects.get_or_create(owner=user, kind=kind)
    cost = Money(price, currency) if price is not None else None
    return ListItem.objects.create(list=row, product_ref=ref, title=ref, price=cost, **values)


@pytest.fixture
def look(django_capture_on_commit_callbacks: Any) -> Any:
    """One run of the command, and what comes after its commits."""

    def run(**options: Any) -> finding.Found:
        with django_capture_on_commit_callbacks(execute=True):
            return find_news(**options)

    return run


def kinds() -> list[str]:
    return list(CatalogEvent.objects.values_list("kind", flat=True))


# What is news ---------------------------------------------------------------------------------------


def test_the_first_look_is_no_news(customer: User, look: Any, heard: list[Any]) -> None:
    """It is remembered, and that is all."""
    save(customer, price=50)
    assert look().products == 1
    assert ProductWatch.objects.get().price == Money(10, "EUR")
    assert (kinds(), heard) == ([], [])


def test_a_lower_price_is_told_once(customer: User, look: Any, heard: list[Any]) -> None:
    """At most once per item and event, on saved and wish lists, with both prices."""
    items = [save(customer), save(customer, kind="wish")]
    look()
    Shop.set(price="8.50")
    found = look()
    assert (found.events, found.items) == ({PRICE_DROP: 1}, {PRICE_DROP: 2})
    assert heard == [(PRICE_DROP, [item.pk for item in items])]
    event = CatalogEvent.objects.get()
    assert (event.price, event.price_before, event.lowest_price) == (Money("8.50", "EUR"), Money(10, "EUR"), None)
    assert event.title == "Tea"
    look()
    assert len(heard) == len(kinds()) == 1


@pytest.mark.parametrize(
    ("saved_at", "is_told"),
    [((12, "EUR"), True), ((9, "EUR"), False), ((8, "EUR"), False), ((12, "USD"), False), ((None, "EUR"), True)],
    ids=["dearer", "as-now", "cheaper", "other-currency", "unknown"],
)
def test_lower_than_when_it_was_saved(
    saved_at: Any, is_told: bool, customer: User, look: Any, heard: list[Any]
) -> None:
    """What it cost when saved decides; another currency is never compared; without a price, the last look does."""
    save(customer, price=saved_at[0], currency=saved_at[1])
    look()
    Shop.set(price=9)
    look()
    assert bool(heard) is is_told
    assert bool(kinds()) is is_told  # what concerns nobody is not kept


def test_another_currency_is_not_a_lower_price(customer: User, look: Any) -> None:
    """Per currency: 9 dollars are not less than 10 euros."""
    save(customer)
    look()
    Shop.set(price=9, currency="USD")
    look()
    Shop.set(price=9)
    look()
    assert kinds() == []


@pytest.mark.parametrize(
    ("lowest", "is_told"),
    [
        (None, True),
        (Money(9, "EUR"), True),
        (Money(8, "EUR"), False),
        (Money(7, "EUR"), False),
        (Money(99, "USD"), False),
    ],
    ids=["not-kept", "above", "the-same", "below", "other-currency"],
)
def test_a_reduction_is_compared_with_the_lowest_of_thirty_days(
    lowest: Money | None, is_told: bool, customer: User, look: Any
) -> None:
    """Dir. 98/6/EC art. 6a: dear for a week and back again is no reduction. The lowest price stands with the event."""
    save(customer)
    look()
    Shop.set(price=8)
    Shop.lowest = {"tea": lowest} if lowest is not None else {}
    look()
    assert list(CatalogEvent.objects.values_list("lowest_price", flat=True)) == (
        [lowest.amount if lowest else None] if is_told else []
    )


def test_what_cannot_be_bought_is_not_cheaper(customer: User, look: Any) -> None:
    """A reduction while it is sold out is news once it can be had, together with that."""
    save(customer)
    look()
    Shop.set(price=7, available=False)
    look()
    assert kinds() == []
    Shop.restock()
    look()
    assert sorted(kinds()) == [BACK, PRICE_DROP]


def test_back_in_stock_each_time(customer: User, look: Any, heard: list[Any]) -> None:
    """A product that flips twice tells twice; in between nothing is said twice."""
    item = save(customer)
    for _turn in range(2):
        look()
        Shop.sell_out()
        look()
        look()
        Shop.restock()
        look()
        look()
    assert heard == [(BACK, [item.pk])] * 2
    assert ItemNews.objects.filter(item=item).count() == 2


def test_saved_while_it_was_sold_out(customer: User, look: Any, heard: list[Any]) -> None:
    """Who saved it to wait for it hears of it."""
    Shop.sell_out()
    early = save(customer, kind="wish")
    look()
    late = save(customer)
    Shop.restock()
    look()
    assert heard == [(BACK, [early.pk, late.pk])]


def test_a_product_that_vanished(customer: User, look: Any, heard: list[Any]) -> None:
    """It is not available, no event says so, and its return is one."""
    save(customer)
    look()
    card = Shop.cards.pop("tea")
    look()
    assert (ProductWatch.objects.get().available, heard) == (False, [])
    Shop.cards["tea"] = card
    look()
    assert kinds() == [BACK]


def test_selling_out_once_per_fall(customer: User, look: Any, heard: list[Any], settings: Any) -> None:
    """CD-5: true numbers, once per fall; and again after it had risen."""
    settings.THANKYOU_WISHLISTS = {**settings.THANKYOU_WISHLISTS, "LOW_STOCK": 4}
    save(customer)
    for left in (9, 5, 4, 3, 3, 0, 3, 12, 2, 1):
        Shop.set(left=left, max_quantity=left)
        look()
    told = CatalogEvent.objects.filter(kind=SELLING_OUT).values_list("left", flat=True)
    assert list(told) == [4, 2]
    assert kinds() == [SELLING_OUT, BACK, SELLING_OUT]


@pytest.mark.parametrize("left", [None, True, -1, "2"], ids=repr)
def test_no_number_no_claim(left: Any, customer: User, look: Any) -> None:
    """CD-5: a shop that does not say how many are left is never "about to sell out"."""
    save(customer)
    for value in (9, left, left):
        Shop.set(left=value)
        look()
    assert kinds() == []


def test_more_than_a_column_can_count(customer: User, look: Any) -> None:
    """ "Endless" stock, and a price finer than what is kept: neither breaks the command nor makes news."""
    save(customer, price=99)
    for _turn in range(2):
        Shop.set(price="12.3456", left=10**12)
        look()
    assert (ProductWatch.objects.get().left, kinds()) == (2**31 - 1, [])


# Who hears, and how ---------------------------------------------------------------------------------


def test_only_saved_and_wish_lists_hear(customer: User, look: Any, heard: list[Any]) -> None:
    """Comparison and recently viewed are looks in passing; a cart shows today's prices anyway."""
    for kind in ("cart", "compare", "recent"):
        save(customer, kind=kind)
    assert look().products == 1
    Shop.set(price=5)
    look()
    assert (heard, kinds()) == ([], [])


def test_many_items_come_in_parts(customer: User, look: Any, heard: list[Any], monkeypatch: Any) -> None:
    """In chunks, with lists and owners, and without one query an item."""
    row = ProductList.objects.create(owner=customer, kind="wish")
    ListItem.objects.bulk_create(ListItem(list=row, product_ref="tea", options=str(n)) for n in range(25))
    look()
    Shop.set(price=5)
    monkeypatch.setattr(telling, "CHUNK", 10)
    monkeypatch.setattr(finding, "BATCH", 10)
    owners = []
    receiver = lambda items, **_more: owners.extend(item.list.owner.email for item in items)  # noqa: E731
    signals.price_dropped.connect(receiver)
    try:
        with CaptureQueriesContext(
            connection,
        ) as queries:
            look()
    finally:
        signals.price_dropped.disconnect(receiver)
    assert [len(items) for _kind, items in heard] == [10, 10, 5]
    assert owners == [customer.email] * 25
    assert len({pk for _kind, items in heard for pk in items}) == 25
    assert len(queries) < 40


def test_batches_ask_the_catalogue_once_each(customer: User, look: Any, monkeypatch: Any) -> None:
    """One question a batch, each product once, the lowest price only of what became cheaper."""
    monkeypatch.setattr(finding, "BATCH", 10)
    row = ProductList.objects.create(owner=customer, kind="wish")
    for number in range(25):
        Shop.set(f"p{number:02}")
    for options in ("", "large"):
        ListItem.objects.bulk_create(
            ListItem(list=row, product_ref=f"p{number:02}", options=options) for number in range(25)
        )
    look()
    assert Shop.asked == [("products", 10), ("products", 10), ("products", 5)]
    Shop.asked.clear()
    Shop.set("p12", price=1)
    look()
    assert Shop.asked == [("products", 10), ("products", 10), ("lowest", 1), ("products", 5)]


def test_queries_do_not_grow_with_items(customer: User, look: Any) -> None:
    """One batch costs the same for one item and for forty."""
    row = ProductList.objects.create(owner=customer, kind="wish")
    counts = []
    for number in (1, 20):
        for new in range(number):
            Shop.set(f"p{number}-{new}")
            ListItem.objects.create(list=row, product_ref=f"p{number}-{new}")
            ListItem.objects.create(list=row, product_ref=f"p{number}-{new}", options="x")
        look()
        Shop.cards = {ref: replace(card, price=card.price / 2) for ref, card in Shop.cards.items()}
        with CaptureQueriesContext(connection) as queries:
            find_news()
        counts.append(len(queries))
    assert counts[0] == counts[1] <= 12


def test_one_that_was_on_no_list_starts_anew(customer: User, look: Any) -> None:
    """A watch from last year must not make a price drop of today for somebody who saves it today."""
    item = save(customer)
    look()
    item.delete()
    look()
    assert not ProductWatch.objects.exists()
    save(customer, price=99)
    Shop.set(price=1)
    look()
    assert kinds() == []


# When things go wrong -------------------------------------------------------------------------------


def test_a_crash_between_batches(customer: User, look: Any, heard: list[Any], monkeypatch: Any) -> None:
    """What was done stays done and is told once; the next run goes on."""
    monkeypatch.setattr(finding, "BATCH", 1)
    for ref in ("a", "b", "c"):
        Shop.set(ref)
        save(customer, ref)
    look()
    for ref in ("a", "b", "c"):
        Shop.set(ref, price=5)
    asked = iter([None, RuntimeError("the power went")])
    original = Shop.get_products

    def breaks(self: Shop, *, refs: Iterable[str]) -> Any:
        if (error := next(asked, None)) is not None:
            raise error
        return original(self, refs=refs)

    monkeypatch.setattr(Shop, "get_products", breaks)
    with pytest.raises(RuntimeError):
        look()
    assert [event.product_ref for event in CatalogEvent.objects.all()] == ["a"]
    assert ProductWatch.objects.get(product_ref="b").price == Money(10, "EUR")
    look()
    assert [event.product_ref for event in CatalogEvent.objects.all()] == ["a", "b", "c"]
    assert len(heard) == 3


def test_written_down_and_not_told(customer: User, look: Any, heard: list[Any]) -> None:
    """A command that died before its signals: the next one tells, once."""
    save(customer)
    look()
    Shop.set(price=5)
    find_news()
    assert (kinds(), heard) == ([PRICE_DROP], [])
    look()
    assert len(heard) == 1
    assert tell_waiting() == 0


def test_a_receiver_that_raises(customer: User, look: Any, heard: list[Any]) -> None:
    """Disturbs neither the command nor the other receivers."""
    save(customer)
    look()
    Shop.set(price=5)

    def breaks(**_more: Any) -> None:
        raise ValueError("no")

    signals.price_dropped.connect(breaks)
    try:
        look()
    finally:
        signals.price_dropped.disconnect(breaks)
    assert len(heard) == 1


# The command ----------------------------------------------------------------------------------------


def test_dry_run_changes_nothing(customer: User, look: Any, heard: list[Any]) -> None:
    """It says what would be told, and parks nothing."""
    save(customer)
    save(customer, "pot", kind="cart")
    Shop.set("pot")
    look()
    Shop.set(price=5)
    Shop.sell_out("pot")
    before = list(ProductWatch.objects.order_by("pk").values())
    out = io.StringIO()
    call_command("find_list_news", "--dry-run", stdout=out)
    assert list(ProductWatch.objects.order_by("pk").values()) == before
    assert (kinds(), heard, ListItem.objects.filter(parked=True).count()) == ([], [], 0)
    assert "price_drop 'tea': price=€5.00 before=€10.00 items=1" in out.getvalue()
    assert "would_tell: products=2 price_drop=1 price_drop_items=1" in out.getvalue()
    assert "parked=1" in out.getvalue()


def test_the_command_says_what_it_did(customer: User, settings: Any) -> None:
    save(customer)
    out = io.StringIO()
    call_command("find_list_news", stdout=out)
    assert out.getvalue().startswith("told: products=1 price_drop=0")
    settings.THANKYOU_WISHLISTS = {}
    with pytest.raises(CommandError, match="catalogue"):
        call_command("find_list_news", stdout=out)


def test_memory_does_not_grow_with_the_number_of_items(django_user_model: type[User], monkeypatch: Any) -> None:
    """Ten times as many saved items, the same peak."""

    class Endless(Shop):
        price = 10

        def get_products(self, *, refs: Iterable[str]) -> dict[str, ProductCard]:
            return {ref: ProductCard(ref=ref, title=ref, url="", price=Money(self.price, "EUR")) for ref in refs}

    # As many batches with fewer rows: memory is traced slowly. The benchmark takes 100,000 items as they are.
    monkeypatch.setattr(finding, "BATCH", 100)
    peaks = []
    for number in (1_000, 10_000):
        ListItem.objects.all().delete()
        user = django_user_model.objects.create_user(f"user{number}")
        row = ProductList.objects.create(owner=user, kind="wish")
        ListItem.objects.bulk_create(
            (ListItem(list=row, product_ref=f"p{n // 2}", options=str(n % 2)) for n in range(number)), batch_size=1000
        )
        catalog = Endless()
        find_news(catalog=catalog)
        catalog.price = 5
        tracemalloc.start()
        try:
            found = find_news(catalog=catalog)
            peaks.append(tracemalloc.get_traced_memory()[1])
        finally:
            tracemalloc.stop()
        assert found.items[PRICE_DROP] == number
    assert peaks[1] < 1.3 * peaks[0], peaks


# On pages -------------------------------------------------------------------------------------------


def test_fresh_news_in_one_query(customer: User, look: Any, django_assert_num_queries: Any) -> None:
    """What happened to items in the last 30 days; what does not hold any more is left out (CD-5)."""
    items = [save(customer), save(customer, "pot", kind="wish"), save(customer, "cup", kind="wish")]
    for ref in ("pot", "cup"):
        Shop.set(ref)
    look()
    Shop.set(price=5)
    Shop.set("pot", price=5)
    look()
    tea, pot, cup = items
    with django_assert_num_queries(1):
        found = fresh_news(items=items, cards=Shop.cards)
    assert {pk: [event.kind for event in events] for pk, events in found.items()} == {
        tea.pk: [PRICE_DROP],
        pot.pk: [PRICE_DROP],
    }
    Shop.set(price=6)
    Shop.sell_out("pot")
    assert fresh_news(items=items, cards=Shop.cards) == {}
    assert fresh_news(items=items).keys() == {tea.pk, pot.pk}
    assert fresh_news(items=items, now=timezone.now() + timedelta(days=31)) == {}
    with django_assert_num_queries(0):
        assert fresh_news(items=[]) == {}


def test_news_of_an_account(customer: User, look: Any, django_user_model: Any, django_assert_num_queries: Any) -> None:
    """SL-3: one's own, newest first; nobody has none."""
    other = django_user_model.objects.create_user("other")
    for user in (customer, other):
        save(user)
    look()
    Shop.set(price=5)
    look(now=timezone.now() - timedelta(days=2))
    Shop.sell_out()
    look()
    Shop.restock()
    look()
    with django_assert_num_queries(1):
        rows = news_of(user=customer)
        assert [(row.event.kind, row.item.list.owner_id) for row in rows] == [
            (BACK, customer.pk),
            (PRICE_DROP, customer.pk),
        ]
    assert len(news_of(user=customer, since=timezone.now() - timedelta(days=1))) == 1
    assert news_of(user=AnonymousUser()) == []


def test_pure_comparison() -> None:
    """The first look is none, and what cannot be bought has no news."""
    ten, nine = Money(10, "EUR"), Money(9, "EUR")
    assert list(compare(None, Look(nine, True))) == []
    assert list(compare(Look(ten, True), Look(nine, False))) == []
    assert list(compare(Look(ten, True), Look(nine, True), lowest=ten)) == [
        Happening(kind=PRICE_DROP, price=nine, price_before=ten, lowest_price=ten)
    ]
    assert look_at(None, Look(ten, True, 3)) == Look(ten, False, None)
