"""What we read of Oscar's orders and catalogue: variants, options, fees, pictures, and what is gone."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest
from django.contrib.auth.models import AnonymousUser
from django.core.files.base import ContentFile
from django.urls import reverse
from djmoney.money import Money

from thankyou_flows.stores.oscar import OscarStore
from thankyou_flows.values import OrderState

from .conftest import model


@pytest.fixture
def store() -> OscarStore:
    return OscarStore()


@pytest.fixture
def variant(make_product: Callable[..., Any]) -> Any:
    parent = make_product(title="Scarf", structure="parent")
    size = model("catalogue.ProductAttribute").objects.create(
        product_class=parent.product_class, name="Size", code="size", type="text"
    )
    child = make_product(title="", price="12.50", parent=parent)
    model("catalogue.ProductAttributeValue").objects.create(product=child, attribute=size, value_text="Long")
    return child


@pytest.fixture
def picture(settings: Any, tmp_path: Any) -> Callable[[Any], str]:
    settings.MEDIA_ROOT = tmp_path

    def add(product: Any) -> str:
        image = model("catalogue.ProductImage")(product=product, caption="Seen from above")
        image.original.save("picture.svg", ContentFile(b"<svg xmlns='http://www.w3.org/2000/svg'/>"), save=False)
        image.save()
        return str(image.original.url)

    return add


def test_an_order_is_read_as_it_was_placed(
    customer: Callable[..., Any], product: Any, store: OscarStore, picture: Callable[[Any], str]
) -> None:
    url = picture(product)
    number = customer().order(product, quantity=2).number
    order = store.get_order(number=number)
    assert order.state is OrderState.PAID
    assert (order.email, order.first_name) == ("ana@example.com", "Ana")
    assert order.shipping_address.lines == ("Glavna 1",)
    assert (order.shipping_address.city, order.shipping_address.postcode) == ("Ljubljana", "1000")
    assert order.shipping_address.country_name == "Slovenia"
    assert order.shipping_method == "Parcel"
    [line] = order.lines
    assert (line.product_ref, line.title, line.quantity) == (str(product.pk), "Tea", 2)
    assert (line.unit_price, line.total) == (Money("20.00", "EUR"), Money("40.00", "EUR"))
    assert (line.image_url, line.image_alt) == (url, "Seen from above")
    assert line.url == product.get_absolute_url()


def test_a_line_outlives_its_product(
    customer: Callable[..., Any], product: Any, make_product: Callable[..., Any], store: OscarStore
) -> None:
    ana = customer()
    ana.add(make_product(title="Cup"))
    number = ana.order(product).number
    model("catalogue.Product").objects.filter(pk=product.pk).delete()
    gone = next(line for line in store.get_order(number=number).lines if line.title == "Tea")
    assert (gone.product_ref, gone.url, gone.image_url, gone.category_refs) == ("", "", "", ())
    assert gone.total == Money("20.00", "EUR")


def test_a_hidden_product_has_no_address(customer: Callable[..., Any], product: Any, store: OscarStore) -> None:
    number = customer().order(product).number
    model("catalogue.Product").objects.update(is_public=False)
    assert store.get_order(number=number).lines[0].url == ""


def test_variants_and_options_are_said_in_words(
    customer: Callable[..., Any], variant: Any, store: OscarStore, picture: Callable[[Any], str]
) -> None:
    url = picture(variant.parent)
    option = model("catalogue.Option").objects.create(name="Engraving", code="engraving", type="text")
    variant.parent.product_class.options.add(option)
    ana = customer()
    ana.client.post(
        reverse("basket:add", kwargs={"pk": variant.parent.pk}),
        {"quantity": 1, "child_id": variant.pk, "engraving": "For Mum"},
    )
    ana.preview()
    ana.place()
    order = store.get_order(number=model("order.Order").objects.get().number)
    [line] = order.lines
    assert line.product_ref == str(variant.pk)
    assert line.title == "Scarf"
    assert line.options == "Size: Long, Engraving: For Mum"
    assert line.image_url == url


def test_fees_are_part_of_the_sum(customer: Callable[..., Any], product: Any, store: OscarStore) -> None:
    order = customer().order(product)
    order.surcharges.create(name="Cash on delivery", code="cod", incl_tax=Decimal("3.00"), excl_tax=Decimal("3.00"))
    order.total_incl_tax += Decimal("3.00")
    order.save()
    read = store.get_order(number=order.number)
    assert [(line.title, line.total) for line in read.lines][-1] == ("Cash on delivery", Money("3.00", "EUR"))
    assert read.subtotal + read.shipping == read.total
    assert read.discount is None


def test_tax_and_payment_method_are_said_where_the_shop_knows_them(
    customer: Callable[..., Any], product: Any, store: OscarStore
) -> None:
    order = customer().order(product)
    assert store.get_order(number=order.number).tax is None
    order.total_excl_tax = order.total_incl_tax - Decimal("4.15")
    order.save()
    kind = model("payment.SourceType").objects.create(name="Invoice")
    model("payment.Source").objects.create(order=order, source_type=kind, amount_debited=order.total_incl_tax)
    read = store.get_order(number=order.number)
    assert read.tax == Money("4.15", "EUR")
    assert read.payment_method == "Invoice"


@pytest.mark.parametrize(
    ("status", "state"),
    [
        ("", OrderState.PAID),
        ("Pending", OrderState.PAID),
        ("Being processed", OrderState.PAID),
        ("Complete", OrderState.SHIPPED),
        ("Cancelled", OrderState.CANCELLED),
        ("Awaiting payment", OrderState.PLACED),
        ("Lost in the post", OrderState.PLACED),
    ],
)
def test_states(store: OscarStore, status: str, state: OrderState) -> None:
    assert store.get_state(status=status) is state


def test_a_shop_maps_statuses_of_its_own() -> None:
    class OurStore(OscarStore):
        state_map = {**OscarStore.state_map, "lost in the post": OrderState.SHIPPED}

    assert OurStore().get_state(status="Lost in the post") is OrderState.SHIPPED


# Catalogue ----------------------------------------------------------------------------------------


def test_products_have_the_strategys_price_and_stock(
    make_product: Callable[..., Any], variant: Any, store: OscarStore
) -> None:
    many, none = make_product(stock=7), make_product(title="Cup", stock=0)
    refs = [str(product.pk) for product in (many, none, variant, variant.parent)]
    products = store.get_products(refs=refs)
    assert (products[refs[0]].available, products[refs[0]].max_quantity) == (True, 7)
    assert products[refs[1]].available is False
    assert products[refs[2]].title == products[refs[3]].title == "Scarf"
    assert products[refs[3]].price == products[refs[2]].price == Money("12.50", "EUR")
    assert products[refs[3]].available


def test_variants_cost_no_more_queries(
    make_product: Callable[..., Any], store: OscarStore, django_assert_num_queries: Any
) -> None:
    parents = [make_product(title=f"Scarf {number}", structure="parent") for number in range(4)]
    children = [make_product(title="", parent=parent) for parent in parents for _ in range(3)]
    everything = [str(product.pk) for product in (*parents, *children)]
    # Products, their stock, pictures, categories, variants and the variants' stock; the same twice for parents.
    with django_assert_num_queries(8):
        assert len(store.get_products(refs=everything)) == 16


def test_hidden_products_are_unknown(make_product: Callable[..., Any], variant: Any, store: OscarStore) -> None:
    hidden = make_product(is_public=False)
    model("catalogue.Product").objects.filter(pk=variant.parent_id).update(is_public=False)
    assert store.get_products(refs=[str(hidden.pk), str(variant.pk), str(variant.parent_id)]) == {}


def test_lists_for_the_page_editor(make_product: Callable[..., Any], variant: Any, store: OscarStore) -> None:
    tea = make_product(title="Green tea")
    root = model("catalogue.Category").add_root(name="Tea")
    leaf = root.add_child(name="Green")
    tea.categories.add(leaf)
    assert store.get_categories() == [(str(root.pk), "Tea"), (str(leaf.pk), "Tea > Green")]
    assert store.search_products(text="green") == [(str(tea.pk), "Green tea")]
    assert [ref for ref, _ in store.search_products(text="scarf")] == [str(variant.pk)]
    assert store.get_products(refs=[str(tea.pk)])[str(tea.pk)].category_refs == (str(leaf.pk),)


# Basket -------------------------------------------------------------------------------------------


def test_only_what_can_be_bought_gets_into_the_basket(
    make_product: Callable[..., Any], variant: Any, store: OscarStore, rf: Any
) -> None:
    request = rf.get("/")
    request.user = AnonymousUser()
    request.session = {}
    basket = model("basket.Basket")()
    from oscar.apps.partner.strategy import Selector

    basket.strategy = Selector().strategy()
    request.basket = basket

    def add(product: Any, quantity: int = 1) -> bool:
        return store.add_to_basket(request=request, product_ref=str(product.pk), quantity=quantity)

    few = make_product(title="Cup", stock=2)
    assert add(few, 3) is False
    assert add(few, 2) is True
    assert add(few) is False
    assert add(few, 0) is False
    assert add(few, -1) is False
    assert add(variant) is True
    assert add(variant.parent) is False, "a variant has to be chosen"
    assert add(make_product(title="Secret", is_public=False)) is False
    wanting = make_product(title="Ring")
    option = model("catalogue.Option").objects.create(name="Engraving", code="engraving", type="text", required=True)
    wanting.product_options.add(option)
    assert add(wanting) is False, "an option has to be chosen"
    assert {line.product: line.quantity for line in basket.all_lines()} == {few: 2, variant: 1}
    basket.freeze()
    assert add(few) is False
