"""The lists of accounts: rows, the difference of what changed, limits, and what they cost."""

from __future__ import annotations

from contextlib import suppress
from datetime import timedelta
from typing import Any

import pytest
import time_machine
from django.contrib.auth.models import Group, User
from django.test import Client
from django.utils import timezone
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from wishlists.accounts import AccountShelf, lock_list
from wishlists.exceptions import ListFull, TooFast
from wishlists.kinds import CART, COMPARE, RECENT, SAVED, WISH
from wishlists.lines import Line, Lines, add, clear, remove, set_quantity
from wishlists.models import ListItem, ProductList, Save

from .catalogs import PRODUCTS, euro
from .conftest import kept, put

pytestmark = pytest.mark.django_db

THREADS = 20


def rows(user: User, kind: str = CART) -> list[tuple[str, str, int]]:
    items = ListItem.objects.of(user).filter(list__kind=kind).order_by("pk")
    return [(item.product_ref, item.options, item.quantity) for item in items]


def change(site: Any, **given: Any) -> None:
    site.THANKYOU_WISHLISTS = {**site.THANKYOU_WISHLISTS, **given}


def test_what_is_added_changed_and_removed_is_a_row(customer: User):
    shelf = AccountShelf(customer)
    shelf.save(add(shelf.get(CART), product_ref="tea", quantity=2, options="100g"), cards=PRODUCTS)
    shelf.save(add(shelf.get(CART), product_ref="pot"), cards=PRODUCTS)
    assert rows(customer) == [("tea", "100g", 2), ("pot", "", 1)]
    shelf.save(set_quantity(shelf.get(CART), product_ref="tea", quantity=5, options="100g"))
    shelf.save(remove(shelf.get(CART), product_ref="pot"))
    assert rows(customer) == [("tea", "100g", 5)]
    assert shelf.get(CART) == Lines((Line("tea", 5, "100g"),))
    assert AccountShelf(customer).get(CART) == shelf.get(CART)


def test_title_and_price_are_those_of_the_day_it_was_saved(customer: User, member: Client):
    """SL-6: a product that is deleted keeps its title; "the price is lower now" needs the price of then."""
    shelf = AccountShelf(customer)
    shelf.save(add(shelf.get(SAVED), product_ref="tea"), cards=PRODUCTS)
    shelf.save(set_quantity(shelf.get(SAVED), product_ref="tea", quantity=3), cards={})
    item = ListItem.objects.get()
    assert (item.title, item.price, item.quantity) == ("Sencha", euro("12.50"), 3)
    shelf.save(add(shelf.get(SAVED), product_ref="unknown"), cards=PRODUCTS)
    item = ListItem.objects.get(product_ref="unknown")
    assert (item.title, item.price) == ("", None)


def test_a_saved_product_is_counted_for_the_report_and_one_in_the_cart_is_not(customer: User):
    shelf = AccountShelf(customer)
    for kind in (SAVED, CART, COMPARE):
        shelf.save(add(shelf.get(kind), product_ref="tea" if kind == SAVED else "pot"), cards=PRODUCTS)
    assert [(save.owner, save.product_ref, save.title) for save in Save.objects.all()] == [(customer, "tea", "Sencha")]


def test_two_tabs_lose_nothing_of_each_other(customer: User):
    """Only the difference is written: what the other tab did meanwhile stays."""
    AccountShelf(customer).save(Lines((Line("tea", 1), Line("pot", 1))))
    one, two, three = (AccountShelf(customer) for _tab in range(3))
    seen_by_one, seen_by_two, seen_by_three = one.get(CART), two.get(CART), three.get(CART)
    one.save(add(remove(seen_by_one, product_ref="tea"), product_ref="cup"))
    two.save(add(set_quantity(seen_by_two, product_ref="pot", quantity=7), product_ref="free"))
    assert rows(customer) == [("pot", "", 7), ("cup", "", 1), ("free", "", 1)]
    three.save(set_quantity(seen_by_three, product_ref="tea", quantity=9))
    assert rows(customer) == [("pot", "", 7), ("cup", "", 1), ("free", "", 1)], (
        "a line removed in another tab does not come back"
    )


def test_the_same_new_line_from_two_tabs_is_one_row(customer: User):
    one, two = AccountShelf(customer), AccountShelf(customer)
    seen_by_one, seen_by_two = one.get(CART), two.get(CART)
    one.save(add(seen_by_one, product_ref="tea", quantity=2), cards=PRODUCTS)
    two.save(add(seen_by_two, product_ref="tea", quantity=3), cards=PRODUCTS)
    assert rows(customer) == [("tea", "", 2)]
    assert two.get(CART) == Lines((Line("tea", 2),))


def test_nobody_reads_or_writes_the_rows_of_another_account(customer: User, django_user_model: type[User]):
    """SL-3."""
    other = django_user_model.objects.create_user("other")
    AccountShelf(customer).save(Lines((Line("tea", 1),)))
    shelf = AccountShelf(other)
    assert shelf.get(CART) == Lines()
    shelf.save(Lines((Line("tea", 9),)))
    shelf.forget(CART)
    assert rows(customer) == [("tea", "", 1)]


def test_a_wish_list_is_no_single_list(customer: User):
    with pytest.raises(ValueError, match="key"):
        lock_list(user=customer, kind=WISH)


ACTIONS = st.lists(
    st.tuples(
        st.sampled_from(["add", "set", "remove", "clear"]),
        st.sampled_from(["tea", "pot", "cup", "free"]),
        st.sampled_from(["", "red"]),
        st.integers(0, 60),
    ),
    max_size=15,
)


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(ACTIONS)
def test_rows_and_values_never_differ(customer: User, actions: list[tuple[str, str, str, int]]):
    """Whatever is done, the rows are the value, in its order."""
    AccountShelf(customer).forget(CART)
    lines = Lines()
    for action, ref, options, quantity in actions:
        shelf = AccountShelf(customer)
        with suppress(ListFull, ValueError):
            if action == "add":
                lines = add(lines, product_ref=ref, quantity=quantity, options=options)
            elif action == "set":
                lines = set_quantity(lines, product_ref=ref, quantity=quantity, options=options)
            elif action == "remove":
                lines = remove(lines, product_ref=ref, options=options)
            else:
                lines = clear(lines)
        shelf.save(lines, cards=PRODUCTS, is_limited=False)
        assert AccountShelf(customer).get(CART) == shelf.get(CART) == lines


def test_recently_viewed_keeps_the_newest(customer: User, site: Any):
    """The oldest makes room; what is seen again becomes the newest; what another tab added counts too."""
    change(site, KINDS={RECENT: {"is_on": True, "max_items": 3}})
    shelf = AccountShelf(customer)
    for ref in ("tea", "pot", "cup", "tea", "free", "free"):
        shelf.save(add(shelf.get(RECENT), product_ref=ref), cards=PRODUCTS)
    assert [ref for ref, _, _ in rows(customer, RECENT)] == ["cup", "tea", "free"]
    one, two = AccountShelf(customer), AccountShelf(customer)
    seen = one.get(RECENT), two.get(RECENT)
    one.save(add(seen[0], product_ref="sku-1"))
    two.save(add(seen[1], product_ref="sku-2"))
    assert [ref for ref, _, _ in rows(customer, RECENT)] == ["free", "sku-1", "sku-2"]


# Limits (SL-6).


def test_more_than_a_list_may_hold_is_refused_and_nothing_changes(customer: User, site: Any):
    """SL-6: also if another tab filled it meanwhile."""
    change(site, KINDS={SAVED: {"max_items": 2}})
    one, two = AccountShelf(customer), AccountShelf(customer)
    seen = two.get(SAVED)
    one.save(Lines((Line("tea"), Line("pot")), SAVED))
    with pytest.raises(ListFull) as full:
        two.save(add(seen, product_ref="cup"))
    assert (full.value.code, full.value.kind) == ("lines", SAVED)
    assert rows(customer, SAVED) == [("tea", "", 1), ("pot", "", 1)]
    assert two.get(SAVED) == one.get(SAVED), "what is read after a refusal is what is there"


def test_nobody_saves_faster_than_people_do(customer: User, site: Any):
    """SL-6: ADDS_PER_MINUTE over all lists; a minute later it goes on."""
    change(site, ADDS_PER_MINUTE=3)
    shelf = AccountShelf(customer)
    now = timezone.now()
    with time_machine.travel(now):
        for kind, ref in ((SAVED, "tea"), (CART, "tea"), (COMPARE, "pot")):
            shelf.save(add(shelf.get(kind), product_ref=ref))
        with pytest.raises(TooFast):
            shelf.save(add(shelf.get(SAVED), product_ref="cup"))
        assert rows(customer, SAVED) == [("tea", "", 1)]
        shelf.save(set_quantity(shelf.get(CART), product_ref="tea", quantity=5))
        shelf.save(remove(shelf.get(SAVED), product_ref="tea"))
    with time_machine.travel(now + timedelta(seconds=61), tick=False):
        shelf.save(add(shelf.get(SAVED), product_ref="cup"))


def test_a_step_of_many_products_counts_as_one(customer: User, site: Any):
    """SL-6: moving a whole list is one click, and the next click works too; dates are what they are."""
    change(site, ADDS_PER_MINUTE=2)
    shelf = AccountShelf(customer)
    shelf.save(Lines(tuple(Line(f"sku-{number}") for number in range(40))), is_limited=False)
    assert timezone.now() - ListItem.objects.latest("added_at").added_at < timedelta(seconds=30)
    shelf.save(add(shelf.get(CART), product_ref="tea"))
    assert len(shelf.get(CART)) == 41
    with pytest.raises(TooFast):
        shelf.save(add(shelf.get(SAVED), product_ref="tea"))


def test_several_products_in_a_limited_step_count_one_by_one(customer: User, site: Any):
    change(site, ADDS_PER_MINUTE=2)
    shelf = AccountShelf(customer)
    with pytest.raises(TooFast):
        shelf.save(Lines((Line("tea"), Line("pot"), Line("cup"))))
    assert rows(customer) == []
    shelf.save(Lines((Line("tea"), Line("pot"))))


def test_looking_at_products_is_not_saving_them(customer: User, site: Any):
    change(site, ADDS_PER_MINUTE=3, KINDS={RECENT: {"is_on": True}})
    shelf = AccountShelf(customer)
    for number in range(10):
        shelf.save(add(shelf.get(RECENT), product_ref=f"sku-{number}"))
    shelf.save(add(shelf.get(SAVED), product_ref="tea"))


def test_the_customer_is_told_and_the_cart_stays(member: Client, customer: User, site: Any):
    change(site, ADDS_PER_MINUTE=1)
    assert member.post("/cart/add/", {"product_ref": "tea"}).status_code == 303
    response = member.post("/cart/add/", {"product_ref": "pot"})
    assert response.status_code == 422
    assert b"wait a minute" in response.content
    assert rows(customer) == [("tea", "", 1)]


# Which list is whose.


def test_a_guests_cookies_stay_while_somebody_is_logged_in(member: Client, customer: User):
    """CK-5: another one's things on this device neither show nor change."""
    put(member, Line("tea", 2))
    before = member.cookies["cart"].value
    assert b"Your cart is empty" in member.get("/cart/").content
    member.post("/cart/add/", {"product_ref": "pot"})
    assert rows(customer) == [("pot", "", 1)]
    assert kept(member) == [("tea", 2)]
    assert member.cookies["cart"].value == before


def test_after_the_logout_nothing_of_the_account_is_left(member: Client):
    """SL-2."""
    member.post("/cart/add/", {"product_ref": "pot"})
    member.logout()
    assert member.get("/lists/state/").json()["counts"]["cart"] == 0
    assert "cart" not in member.cookies


def test_an_answer_about_an_account_is_kept_by_no_cache(member: Client):
    for url in ("/cart/", "/saved/", "/lists/state/", "/lists/device/", "/lists/left/"):
        response = member.get(url)
        assert "no-store" in response.headers["Cache-Control"], url
        assert "Cookie" in response.headers["Vary"], url


# What it costs (DESIGN §6). Two queries each are the session and the user.


@pytest.fixture
def goods(site: Any) -> list[str]:
    """A hundred products that are rows."""
    change(site, CATALOG="tests.test_wishlists.catalogs.DatabaseCatalog", KINDS={CART: {"max_items": 200}})
    return [str(Group.objects.create(name=f"Thing {number}").pk) for number in range(100)]


def fill(customer: User, goods: list[str], number: int, kind: str = CART) -> None:
    AccountShelf(customer).save(Lines(tuple(Line(ref) for ref in goods[:number]), kind), is_limited=False)


@pytest.mark.parametrize("number", [1, 20, 100])
def test_showing_a_list_costs_the_same_whatever_its_length(
    member: Client, customer: User, goods: list[str], number: int, django_assert_max_num_queries: Any
):
    fill(customer, goods, number)
    fill(customer, goods, number, SAVED)
    for url in ("/cart/", "/saved/"):
        with django_assert_max_num_queries(5):
            assert member.get(url).status_code == 200
    with django_assert_max_num_queries(3):
        assert member.get("/lists/state/").json()["counts"]["cart"] == number


@pytest.mark.parametrize("number", [1, 20, 100])
def test_a_change_costs_the_same_whatever_the_length(
    customer: User, goods: list[str], number: int, django_assert_num_queries: Any
):
    """Lock and date in one, the change, and two for the savepoint; taking out looks for what hangs on the items, too."""
    fill(customer, goods, number)
    shelf = AccountShelf(customer)
    shelf.get(CART)
    with django_assert_num_queries(4):
        shelf.save(set_quantity(shelf.get(CART), product_ref=goods[0], quantity=3))
    lines = shelf.get(CART)
    with django_assert_num_queries(6):
        shelf.save(clear(lines))
    assert rows(customer) == []


@pytest.mark.parametrize("number", [1, 20, 99])
def test_adding_costs_the_same_whatever_the_length(
    customer: User, goods: list[str], number: int, django_assert_num_queries: Any
):
    """Lock and date in one, the item, both limits in one, and two for the savepoint; what is saved is counted, too."""
    fill(customer, goods, number)
    fill(customer, goods, number, SAVED)
    for kind, queries in ((CART, 5), (SAVED, 6)):
        shelf = AccountShelf(customer)
        lines = shelf.get(kind)
        with django_assert_num_queries(queries):
            shelf.save(add(lines, product_ref=goods[-1]))


def test_the_first_save_ever_makes_the_list(customer: User, django_assert_num_queries: Any):
    """Five more, once in the life of an account: look, and make the list in a savepoint of its own; then there is a row."""
    shelf = AccountShelf(customer)
    lines = shelf.get(CART)
    with django_assert_num_queries(9):
        shelf.save(add(lines, product_ref="tea"))
    shelf.save(clear(shelf.get(CART)))
    lines = shelf.get(CART)
    with django_assert_num_queries(6):
        shelf.save(add(lines, product_ref="tea"))


@pytest.mark.parametrize("number", [1, 20])
def test_a_post_that_saves_costs_the_same_whatever_the_length(
    member: Client, customer: User, goods: list[str], number: int, django_assert_num_queries: Any
):
    """Session, account, product, list, the six of the save, and the list for who listens to ``list_changed``."""
    fill(customer, goods, number, SAVED)
    with django_assert_num_queries(11):
        assert member.post("/saved/add/", {"product_ref": goods[-1], "action": "add"}).status_code == 303
    assert len(rows(customer, SAVED)) == number + 1


def test_a_list_that_went_away_meanwhile_is_made_anew(customer: User):
    """An undone merge, or clearing up, may take an empty list; what was about to be added is kept."""
    shelf = AccountShelf(customer)
    shelf.save(Lines((Line("tea"),)))
    lines = shelf.get(CART)
    ProductList.objects.all().delete()
    shelf.save(add(lines, product_ref="pot"))
    assert rows(customer) == [("pot", "", 1)]


def test_every_save_dates_its_list(customer: User):
    shelf = AccountShelf(customer)
    for change_it in (
        lambda lines: add(lines, product_ref="tea"),
        lambda lines: set_quantity(lines, product_ref="tea", quantity=3),
        clear,
        lambda lines: add(lines, product_ref="pot"),
    ):
        ProductList.objects.update(changed_at=timezone.now() - timedelta(days=3))
        shelf.save(change_it(shelf.get(CART)))
        assert timezone.now() - ProductList.objects.get().changed_at < timedelta(minutes=1)
