"""The example shop as a full catalogue for lists: facts, choices, past prices, true stock."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.core.exceptions import ValidationError
from django.core.management import call_command
from django.utils import timezone
from djmoney.money import Money
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from example_site.shop.mail import build_confirmation
from example_site.shop.models import Order, PriceRecord, Product
from example_site.shop.orders import cancel
from example_site.shop.placing import place_order
from example_site.shop.prices import lowest_before, prices_at, record_price, write_past
from example_site.shop.store import ExampleStore
from wishlists.catalog import accepts_options, choices_of, option_titles_of, pieces_left
from wishlists.models import CatalogEvent, ListItem, ProductList
from wishlists.news.finding import find_news

from .conftest import ADDRESS, Shopper, hidden

store = ExampleStore()
CHOICES = "Loose leaf\n  In bags \n\n"


def euro(amount: Any) -> Money:
    return Money(Decimal(str(amount)), "EUR")


@pytest.fixture
def verbena(make_product: Callable[..., Product]) -> Product:
    """A tea that comes loose or in bags."""
    product = make_product("T-5", title="Verbena", stock=5)
    product.choices_text = CHOICES
    product.save()
    return product


# Facts, stock, choices ------------------------------------------------------------------------------


def test_attributes_come_from_the_page(
    tea: Product, make_product: Callable[..., Product], django_assert_num_queries: Any
) -> None:
    """What the details say, and how long it takes to arrive: one query for any number."""
    page = tea.page
    page.story = [("text", "<p>Hello</p>"), ("facts", [{"label": "Origin", "value": "Uji"}])]
    page.save()
    for number in range(2, 21):
        make_product(f"T-{number}")
    with django_assert_num_queries(1):
        found = store.get_attributes(refs=["T-1", *(f"T-{number}" for number in range(2, 21)), "none", "\x00"])
    assert found["T-1"] == [("Origin", "Uji"), ("Delivery", "2 to 4 days")]
    assert found["T-7"] == [("Delivery", "2 to 4 days")]
    assert len(found) == 20
    with django_assert_num_queries(0):
        assert store.get_attributes(refs=["\x00"]) == {}


def test_a_card_says_what_is_left_and_what_there_is_to_choose(verbena: Product, tea: Product) -> None:
    """CD-5: the true stock. Choices by reference, in the order in which they were written."""
    cards = store.get_products(refs=["T-5", "T-1"])
    assert pieces_left(cards["T-5"]) == 5
    assert list((choices_of(cards["T-5"]) or {}).items()) == [("loose-leaf", "Loose leaf"), ("in-bags", "In bags")]
    assert choices_of(cards["T-1"]) == {}
    assert [accepts_options(cards["T-5"], ref) for ref in ("in-bags", "", "x")] == [True, False, False]
    assert [accepts_options(cards["T-1"], ref) for ref in ("", "x")] == [True, False]


def test_titles_of_choices(verbena: Product, tea: Product, django_assert_num_queries: Any) -> None:
    """One query, and none where the products are at hand; what is not known is called by its reference."""
    keys = [("T-5", "in-bags"), ("T-5", "gone"), ("T-1", ""), ("none", "x"), ("\x00", "x")]
    with django_assert_num_queries(1):
        assert store.get_option_titles(keys=keys) == {("T-5", "in-bags"): "In bags"}
    cards = store.get_products(refs=["T-5"])
    with django_assert_num_queries(0):
        assert option_titles_of(store, keys=keys[:1], cards=cards) == {("T-5", "in-bags"): "In bags"}
    assert option_titles_of(store, keys=keys[:2]) == {("T-5", "in-bags"): "In bags", ("T-5", "gone"): "gone"}


@pytest.mark.parametrize("text", ["Green\ngreen", "☕", "x" * 61], ids=["twice", "no-reference", "long"])
def test_choices_need_names_of_their_own(text: str, tea: Product) -> None:
    tea.choices_text = text
    with pytest.raises(ValidationError, match="name of its own"):
        tea.full_clean()


# Choosing, and buying what was chosen ---------------------------------------------------------------


def test_a_product_page_asks_for_the_choice(verbena: Product, tea: Product, shopper: Shopper) -> None:
    """A labelled field, without a script."""
    page = shopper.client.get("/tea/t-5/").content.decode()
    assert '<label for="ty-add-T-5-options">' in page
    assert re.search(r'<select name="options" required [^>]*id="ty-add-T-5-options"', page)
    assert '<option value="in-bags">In bags</option>' in page
    assert "<select" not in shopper.client.get("/tea/t-1/").content.decode().split('class="product-buy"')[1]


@pytest.mark.parametrize("options", ["", "gone"])
def test_without_a_choice_it_is_asked_for(
    options: str, verbena: Product, shopper: Shopper, django_assert_num_queries: Any
) -> None:
    """Kindly, beside the field, with all that was typed; at most the one query."""
    store.get_products(refs=["T-5"])
    form = {"product_ref": "T-5", "options": options, "quantity": 3}
    with django_assert_num_queries(1):
        short = shopper.client.post("/cart/add/", form, headers={"Accept": "application/json"})
    assert (short.status_code, list(short.json()["errors"])) == (422, ["options"])
    answer = shopper.client.post("/cart/add/", form)
    text = answer.content.decode()
    assert answer.status_code == 422
    assert "Please choose which one you would like." in text
    assert 'value="3"' in text
    assert "In bags" in text
    assert "cart" not in shopper.client.cookies


def test_nothing_to_choose_and_yet_chosen(tea: Product, shopper: Shopper) -> None:
    """A hand-made form puts nothing into the cart that cannot be bought."""
    assert shopper.client.post("/cart/add/", {"product_ref": "T-1", "options": "x"}).status_code == 422


def put(shopper: Shopper, product: Product, options: str, quantity: int = 1) -> None:
    data = {"product_ref": product.sku, "options": options, "quantity": quantity, "next": product.url}
    answer = shopper.client.post("/cart/add/", data)
    assert answer.status_code == 303
    assert answer.url == f"{product.url}#ty-added-{product.sku}"  # where the page's one form says it


def test_an_order_of_two_choices(verbena: Product, shopper: Shopper, client: Any, admin_client: Any) -> None:
    """Two lines, one stock; the choice is named wherever the line is shown, and comes back when the order is cancelled."""
    put(shopper, verbena, "loose-leaf", 2)
    put(shopper, verbena, "in-bags")
    assert "In bags" in shopper.client.get("/cart/").content.decode()
    assert "In bags" in shopper.client.get("/checkout/").content.decode()
    order = shopper.place()
    lines = list(order.lines.values_list("product_ref", "options", "option_title", "quantity"))
    assert sorted(lines) == [("T-5", "in-bags", "In bags", 1), ("T-5", "loose-leaf", "Loose leaf", 2)]
    assert {line.full_title for line in order.lines.all()} == {"Verbena (In bags)", "Verbena (Loose leaf)"}
    assert Product.objects.get(sku="T-5").stock == 2
    value = store.get_order(number=order.number)
    assert sorted(line.options for line in value.lines) == ["In bags", "Loose leaf"]
    assert "Verbena (In bags)" in admin_client.get(f"/admin/shop_order/inspect/{order.pk}/").content.decode()
    cancel(order=Order.objects.get(pk=order.pk))
    assert Product.objects.get(sku="T-5").stock == 5


def test_the_mail_names_the_choice(verbena: Product, shopper: Shopper) -> None:
    put(shopper, verbena, "in-bags")
    message = build_confirmation(order=shopper.place())
    assert "1 × Verbena (In bags)" in message.text
    assert "Verbena (In bags)" in message.html


def test_all_choices_share_one_stock(verbena: Product, shopper: Shopper) -> None:
    """Four and three of five pieces: the second line gets what the first leaves."""
    put(shopper, verbena, "loose-leaf", 4)
    put(shopper, verbena, "in-bags", 3)
    order = shopper.place()
    assert sorted(order.lines.values_list("options", "quantity")) == [("in-bags", 1), ("loose-leaf", 4)]
    assert Product.objects.get(sku="T-5").stock == 0


def test_a_choice_that_went_away(verbena: Product, shopper: Shopper) -> None:
    """Between cart and order: it is not part of the order, and the page says so."""
    put(shopper, verbena, "loose-leaf")
    put(shopper, verbena, "in-bags")
    form = shopper.form()
    verbena.choices_text = "Loose leaf\nAs powder"
    verbena.save()
    answer = shopper.send(form)
    assert answer.status_code == 422  # the total is another now
    order = shopper.place(**hidden(answer))
    assert [line.options for line in order.lines.all()] == ["loose-leaf"]


@pytest.mark.parametrize("key", [("T-5", ""), ("T-5", "gone"), ("T-1", "in-bags")])
def test_what_does_not_exist_is_not_ordered(key: tuple[str, str], verbena: Product, tea: Product) -> None:
    """Whoever calls the verb: nothing is taken from stock."""
    import uuid

    from example_site.shop.exceptions import SoldOut
    from example_site.shop.placing import Customer

    with pytest.raises(SoldOut):
        place_order(
            token=uuid.uuid4(),
            quantities={key: 1},
            customer=Customer(**ADDRESS),
            shipping_method="standard",
            payment_method="card",
        )
    assert set(Product.objects.values_list("sku", "stock")) == {("T-5", 5), ("T-1", 10)}


def test_a_block_does_not_choose(verbena: Product, rf: Any) -> None:
    """What has to be chosen is not put into the cart by a button that does not ask."""
    assert store.add_to_basket(request=rf.post("/"), product_ref="T-5") is False


# Past prices ----------------------------------------------------------------------------------------

NOW = timezone.now()


def ago(days: float) -> datetime:
    return NOW - timedelta(days=days)


def test_a_price_is_noted_when_it_changes(tea: Product, django_assert_num_queries: Any) -> None:
    """At the first save and at each change; not for a new name or stock."""
    assert [record.price for record in tea.prices.all()] == [euro(10)]
    tea.title = "Other"
    tea.save()
    tea.price = euro(9)
    tea.save(update_fields=["title"])
    assert tea.prices.count() == 1
    tea.save()
    first, second = tea.prices.all()
    assert (first.price, second.price, second.until) == (euro(10), euro(9), None)
    assert first.until == second.since
    with django_assert_num_queries(3):  # and a savepoint's two
        assert record_price(product=tea) is False


def test_the_admin_notes_a_new_price(tea: Product, admin_client: Any) -> None:
    """Where owners change prices."""
    values = {
        "title": tea.title, "sku": tea.sku, "slug": tea.slug, "category": tea.category_id, "summary": "",
        "choices_text": "Loose leaf\r\nIn bags", "price_0": "8.00", "price_1": "EUR", "stock": 3,
        "delivery_days_min": 2, "delivery_days_max": 4, "is_for_sale": "on",
    }  # fmt: skip
    answer = admin_client.post(f"/admin/shop_product/edit/{tea.pk}/", values)
    assert answer.status_code == 302, answer.content.decode()
    assert [record.price for record in tea.prices.all()] == [euro(10), euro(8)]
    assert list(Product.objects.get(pk=tea.pk).choices) == ["loose-leaf", "in-bags"]


@pytest.mark.parametrize(
    ("past", "lowest"),
    [
        ([(100, 10)], None),
        ([(100, 12), (6, 10)], 12),
        ([(100, 8), (40, 12), (6, 10)], 12),
        ([(100, 8), (35, 12), (6, 10)], 8),
        ([(100, 10), (20, 13), (5, 10)], 10),
        ([(100, 20), (90, 15), (6, 9), (3, 10)], 9),
        ([(400, 7), (365, 11), (360, 10)], 7),
    ],
    ids=["never", "once", "long-ago", "just-within", "up-and-down", "up-again", "since-a-year"],
)
def test_the_lowest_price_of_the_thirty_days_before(
    past: list[tuple[int, int]], lowest: int | None, tea: Product, django_assert_num_queries: Any
) -> None:
    """Dir. 98/6/EC art. 6a: of the days before today's price came, however long ago that is."""
    write_past(product=tea, past=[(days, Decimal(amount)) for days, amount in past], now=NOW)
    with django_assert_num_queries(1):
        found = store.get_lowest_prices(refs=["T-1", "none", "\x00"])
    assert found == ({"T-1": euro(lowest)} if lowest else {})


def test_another_currency_is_not_a_lowest_price(tea: Product) -> None:
    write_past(product=tea, past=[(100, Decimal(1)), (10, Decimal(12)), (5, Decimal(10))], now=NOW)
    tea.prices.filter(price=1).update(price_currency="USD")
    tea.prices.filter(price=12).update(since=ago(20))
    assert lowest_before(skus=["T-1"]) == {"T-1": euro(12)}


def test_prices_at_a_moment(tea: Product, make_product: Callable[..., Product], django_assert_num_queries: Any) -> None:
    """CK-1: a cookie has a date and no prices. What was not sold then is left out."""
    write_past(product=tea, past=[(60, Decimal(12)), (6, Decimal(10))], now=NOW)
    make_product("T-2")
    with django_assert_num_queries(1):
        assert store.get_prices_at(refs=["T-1", "T-2", "\x00"], at=ago(10)) == {"T-1": euro(12)}
    assert store.get_prices_at(refs=["T-1"], at=ago(60)) == {"T-1": euro(12)}
    assert store.get_prices_at(refs=["T-1"], at=ago(61)) == {}
    assert prices_at(skus=["T-1", "T-2"], at=timezone.now()) == {"T-1": euro(10), "T-2": euro(10)}


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.tuples(st.integers(1, 120), st.integers(1, 9)), min_size=1, max_size=8, unique_by=lambda p: p[0]))
def test_past_prices_beside_a_model(tea: Product, past: list[tuple[int, int]]) -> None:
    """Any history: what was in force on any of the thirty days before, worked out day by day."""
    past = sorted(past, reverse=True)
    write_past(product=tea, past=[(days, Decimal(amount)) for days, amount in past], now=NOW)
    began = past[-1][0]

    def in_force(days: int) -> int | None:
        return next((amount for start, amount in reversed(past) if start >= days), None)

    seen = [price for days in range(began + 1, began + 31) if (price := in_force(days)) is not None]
    assert lowest_before(skus=["T-1"]) == ({"T-1": euro(min(seen))} if seen else {})
    for days in (1, 40, 130):
        now = in_force(days)
        assert prices_at(skus=["T-1"], at=ago(days)) == ({"T-1": euro(now)} if now is not None else {})


def test_news_of_a_true_reduction(tea: Product, django_user_model: Any) -> None:
    """The whole way: saved, made cheaper in the admin, told with the lowest price it is compared with."""
    write_past(product=tea, past=[(60, Decimal(12)), (20, Decimal(10))])
    user = django_user_model.objects.create_user("ada")
    saved = ProductList.objects.create(owner=user, kind="saved")
    ListItem.objects.create(list=saved, product_ref="T-1", price=euro(10))
    find_news()
    tea.price, tea.stock = euro(9), 2
    tea.save()
    find_news()
    drop, low = CatalogEvent.objects.order_by("kind")
    assert (drop.kind, drop.price, drop.lowest_price, drop.left) == ("price_drop", euro(9), euro(10), 2)
    assert (low.kind, low.left) == ("selling_out", 2)


def test_the_demo_has_a_past_and_choices(db: None, settings: Any, tmp_path: Any) -> None:
    """At least 60 days; today's price is what the product costs; a reduction that is true and one that is none."""
    settings.MEDIA_ROOT, settings.MAIL_FOLDER = tmp_path, tmp_path / "mail"
    call_command("load_demo")
    for product in Product.objects.prefetch_related("prices"):
        records = list(product.prices.all())
        assert records[0].since < timezone.now() - timedelta(days=60)
        assert (records[-1].price, records[-1].until) == (product.price, None)
        product.full_clean()
    lowest = store.get_lowest_prices(refs=Product.objects.values_list("sku", flat=True))
    today = {product.sku: product.price for product in Product.objects.all()}
    reduced = {sku for sku, price in lowest.items() if today[sku] < price}
    assert {"KF-T03", "KF-W04"} <= reduced
    assert "KF-W01" not in reduced
    assert sum(bool(product.choices) for product in Product.objects.all()) == 4
    assert PriceRecord.objects.filter(until=None).count() == 24
