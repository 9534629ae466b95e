"""What is news from the catalogue, and what is none."""

from __future__ import annotations

from typing import Any

import pytest
from django.contrib.auth.models import User
from djmoney.money import Money

from wishlists.models import CatalogEvent, ItemNews, ProductWatch
from wishlists.news.happenings import Happening, Look, compare, look_at

from .news_world import BACK, PRICE_DROP, SELLING_OUT, Shop, heard_fixture, kinds, look_fixture, save, shop_fixture  # noqa: F401

pytestmark = pytest.mark.django_db


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


def test_pure_comparison() -> None:
    """The first look is none, and what cannot be bought has no news."""
    ten, nine = Money(10, "EUR"), Money(9, "EUR")
    assert list(compare(None, Look(nine, True))) == []
    assert list(compare(Look(ten, True), Look(nine, False))) == []
    assert list(compare(Look(ten, True), Look(nine, True), lowest=ten)) == [
        Happening(kind=PRICE_DROP, price=nine, price_before=ten, lowest_price=ten)
    ]
    assert look_at(None, Look(ten, True, 3)) == Look(ten, False, None)
