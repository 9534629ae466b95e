"""Saved things and wish lists beside Oscar's own basket: each is where it belongs, and what is bought is counted."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.conf import settings as project
from django.test import Client
from django.urls import reverse

from thankyou_flows.stores.oscar import OscarStore
from wishlists.catalog import option_titles_of
from wishlists.lists import create_list, put_on_list
from wishlists.models import Save
from wishlists.sharing import share

from .conftest import model

MakeProduct = Callable[..., Any]

store = OscarStore()


@pytest.fixture
def scarf(make_product: MakeProduct) -> Any:
    """A product with a long variant."""
    return make_product(title="Scarf", structure="parent")


@pytest.fixture
def long(scarf: Any, make_product: MakeProduct) -> Any:
    """The long one."""
    size = model("catalogue.ProductAttribute").objects.create(
        product_class=scarf.product_class, name="Size", code="size", type="text"
    )
    child = make_product(title="", price="12.50", parent=scarf)
    model("catalogue.ProductAttributeValue").objects.create(product=child, attribute=size, value_text="Long")
    return child


def url(name: str, *args: str) -> str:
    return reverse(f"thankyou_wishlists:{name}", args=args)


def save(client: Client, product: Any, **fields: Any) -> None:
    response = client.post(url("saved_add"), {"product_ref": product.pk, "action": "add", **fields})
    assert response.status_code == 303


def put(client: Client, product: Any, options: Any = "") -> str:
    """Put something saved into the basket, and return what the page says then, also if it was refused."""
    data = {"product_ref": product.pk, "options": options, "to": "cart"}
    page = client.post(url("saved_move"), data, follow=True)
    assert page.status_code in (200, 422)
    return " ".join(page.content.decode().split())


def saved(client: Client) -> list[list[str]]:
    found: list[list[str]] = client.get(url("state")).json()["saved"]
    return found


def basket(client: Client) -> list[tuple[Any, int]]:
    context = client.get(reverse("basket:summary")).context
    return [(line.product_id, line.quantity) for line in context["basket"].all_lines()]


def test_a_guest_saves_and_puts_into_oscars_basket(customer: Callable[..., Any], product: Any) -> None:
    """Issue 4, CK-7: saving begins no session; the basket is Oscar's, and what is in there is no longer saved."""
    client = customer().client
    save(client, product)
    assert project.SESSION_COOKIE_NAME not in client.cookies
    assert saved(client) == [[str(product.pk), ""]]
    assert "Tea" in client.get(url("saved")).content.decode()
    assert project.SESSION_COOKIE_NAME not in client.cookies
    put(client, product)
    assert basket(client) == [(product.pk, 1)]
    assert saved(client) == []


def test_what_is_sold_out_stays_saved_with_a_word(customer: Callable[..., Any], make_product: MakeProduct) -> None:
    """CK-4."""
    client, product = customer().client, make_product(stock=0)
    save(client, product)
    assert "cannot be ordered at the moment" in put(client, product)
    assert basket(client) == []
    assert saved(client) == [[str(product.pk), ""]]


def test_our_cart_is_off(customer: Callable[..., Any], product: Any) -> None:
    """Issue 4: there is one basket, and it is Oscar's."""
    client = customer().client
    assert client.get(url("cart")).status_code == 404
    assert client.post(url("cart_add"), {"product_ref": product.pk}).status_code == 404
    assert client.get(url("api_list", "cart")).status_code == 404
    assert [kind["kind"] for kind in client.get(url("api")).json()["kinds"]].count("cart") == 0


def test_a_wish_list_is_shared(customer: Callable[..., Any], make_user: Callable[..., Any], product: Any) -> None:
    """SL-4: with Oscar's prices, and nothing about its owner."""
    berta = make_user()
    row = create_list(user=berta, name="Birthday")
    card = store.get_products(refs=[str(product.pk)])[str(product.pk)]
    put_on_list(list=row, product_ref=str(product.pk), card=card)
    row = share(list=row)
    page = customer().client.get(url("shared", row.share_key or "")).content.decode()
    assert "Birthday" in page
    assert "Tea" in page
    assert "20.00" in page
    assert "berta" not in page


def test_logging_in_at_oscar_keeps_things_apart(
    customer: Callable[..., Any], make_user: Callable[..., Any], product: Any, make_product: MakeProduct
) -> None:
    """CK-5, SL-1: what a guest saved becomes nobody's without being asked about; Oscar merges its own basket as ever."""
    berta, client = make_user(), customer().client
    save(client, product)
    login = {"login-username": berta.email, "login-password": "secret", "login_submit": "1"}
    response = client.post(reverse("customer:login"), login)
    assert response.status_code == 302, response.content.decode()
    state = client.get(url("state")).json()
    assert state["ask"] is True
    assert state["saved"] == []
    save(client, make_product(title="Cup"))
    assert [title for _ref, title in Save.objects.values_list("product_ref", "title")] == ["Cup"]
    assert client.post(url("merge"), {"answer": "add"}).status_code == 303
    assert sorted(Save.objects.values_list("title", flat=True)) == ["Cup", "Tea"]
    assert client.get(url("state")).json()["ask"] is False


# Variants -------------------------------------------------------------------------------------------


def test_a_parent_says_what_it_comes_in(scarf: Any, long: Any, product: Any, django_assert_num_queries: Any) -> None:
    """Its variants are its choices, called by what sets them apart; hidden ones and other products have none."""
    hidden = long.__class__.objects.create(title="Short", structure="child", parent=scarf, is_public=False)
    refs = [str(each.pk) for each in (scarf, long, product)]
    cards = store.get_products(refs=refs)
    assert [list(cards[ref].choices or {}) for ref in refs] == [[str(long.pk)], [], []]
    keys = [(str(scarf.pk), str(long.pk)), (str(scarf.pk), str(hidden.pk)), (str(product.pk), "x\x00")]
    assert list(option_titles_of(store, keys=keys, cards=cards).values()) == ["Size: Long", str(hidden.pk), "x\x00"]
    with django_assert_num_queries(2):
        assert store.get_option_titles(keys=keys) == {keys[0]: "Size: Long"}
    with django_assert_num_queries(0):
        assert store.get_option_titles(keys=[("1", "x"), ("1", "")]) == {}


def test_a_parent_waits_for_a_choice(customer: Callable[..., Any], scarf: Any, long: Any) -> None:
    """The heart on a product's page saves the parent: the customer is told to choose."""
    client = customer().client
    save(client, scarf)
    assert "choose one" in put(client, scarf)
    assert basket(client) == []
    assert saved(client) == [[str(scarf.pk), ""]]


def test_a_chosen_variant_goes_into_the_basket(customer: Callable[..., Any], scarf: Any, long: Any) -> None:
    """Saved as an option of its parent or as itself, it is the same product in the basket."""
    for product, options in ((scarf, long.pk), (long, "")):
        client = customer().client
        save(client, product, options=options)
        put(client, product, options)
        assert basket(client) == [(long.pk, 1)]
        assert saved(client) == []


def test_what_is_no_variant_stays(
    customer: Callable[..., Any], scarf: Any, long: Any, product: Any, make_product: MakeProduct
) -> None:
    """Another product's variant, a product without any, a hidden one, nonsense: none is put into the basket."""
    other = make_product(title="Shawl", structure="parent")
    foreign = make_product(title="", parent=other)
    for ref, options in ((scarf, foreign.pk), (scarf, product.pk), (product, long.pk), (scarf, "x")):
        client = customer().client
        save(client, ref, options=options)
        put(client, ref, options)
        assert basket(client) == []
        assert store.get_variant(product_ref=str(ref.pk), options=str(options)) is None
    long.__class__.objects.filter(pk=long.pk).update(is_public=False)
    assert store.get_variant(product_ref=str(scarf.pk), options=str(long.pk)) is None


@pytest.mark.parametrize("is_parent_saved", [True, False])
def test_buying_a_variant_counts_as_bought(
    customer: Callable[..., Any], make_user: Callable[..., Any], scarf: Any, long: Any, is_parent_saved: bool
) -> None:
    """The report: an order names the variant, and what was saved is the parent or the variant."""
    shopper = customer(user=make_user())
    save(shopper.client, scarf if is_parent_saved else long)
    assert Save.objects.get().bought_at is None
    shopper.client.post(reverse("basket:add", kwargs={"pk": scarf.pk}), {"quantity": 1, "child_id": long.pk})
    shopper.preview()
    assert shopper.place().status_code == 302
    assert Save.objects.get().bought_at is not None


def test_whose_variants_were_bought(scarf: Any, long: Any, product: Any, django_assert_num_queries: Any) -> None:
    """One query; what the shop does not know is itself."""
    with django_assert_num_queries(1):
        found = store.get_saved_refs(refs=[str(long.pk), str(product.pk), "x"])
    assert found == {str(long.pk), str(scarf.pk), str(product.pk), "x"}
