"""The shop's pages: what they say, what they cost, and that caches may keep them."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from django.test import Client

from example_site.shop.models import FeaturedProduct, HomePage, Product

PUBLIC = ["/", "/tea/", "/tea/t-1/"]


@pytest.mark.parametrize("path", PUBLIC)
def test_public_pages_are_cacheable(client: Client, tea: Product, home: HomePage, path: str) -> None:
    """CK-7: no session, no cookie, no Vary: Cookie, not even for somebody with a cart and a login."""
    client.post("/cart/add/", {"product_ref": tea.sku, "quantity": 1})
    response = client.get(path)
    assert response.status_code == 200
    assert "Cookie" not in response.get("Vary", "")
    assert "Cache-Control" not in response
    assert not response.cookies
    assert "csrfmiddlewaretoken" not in response.content.decode()


@pytest.mark.parametrize("path", PUBLIC)
def test_public_pages_follow_the_strict_csp(client: Client, tea: Product, path: str) -> None:
    """CM-6: nothing inline."""
    text = client.get(path).content.decode()
    assert " style=" not in text
    assert "<style" not in text
    assert "onclick" not in text
    assert "unsafe-inline" not in client.get(path)["Content-Security-Policy"]


@pytest.mark.parametrize("path", ["/", "/tea/"])
def test_queries_do_not_grow_with_products(
    client: Client, home: HomePage, make_product: Callable[..., Product], path: str, django_assert_max_num_queries
) -> None:
    """DESIGN §6: the same at 1 and at 20 products."""

    def add(number: int) -> None:
        product = make_product(f"T-{number}")
        FeaturedProduct.objects.create(page=home, product=product, sort_order=number)

    from django.db import connection
    from django.test.utils import CaptureQueriesContext

    add(1)
    client.get(path)
    with CaptureQueriesContext(
        connection,
    ) as one:
        client.get(path)
    for number in range(2, 21):
        add(number)
    with CaptureQueriesContext(connection) as twenty:
        client.get(path)
    assert len(twenty) == len(one) <= 12


@pytest.mark.parametrize(
    ("stock", "says", "says_not"),
    [
        (0, "Sold out", "Add to cart"),
        (2, "Only 2 left", "In stock"),
        (5, "Only 5 left", "In stock"),
        (6, "In stock", "Only "),
    ],
)
def test_stock_in_words(
    client: Client, make_product: Callable[..., Product], stock: int, says: str, says_not: str
) -> None:
    """CD-5: "only N left" is the true number, or is not said."""
    make_product(stock=stock)
    text = client.get("/tea/t-1/").content.decode().partition("<main")[2].partition("</main>")[0]
    assert says in text
    assert says_not not in text


def test_an_unknown_address_is_a_kind_page(client: Client, home: HomePage) -> None:
    response = client.get("/nothing-here/")
    assert response.status_code == 404
    assert "There is nothing at this address" in response.content.decode()
    assert "Cookie" not in response.get("Vary", "")


def test_accounts(client: Client, home: HomePage, django_user_model) -> None:
    """Open an account, log out, log in; whatever the case of the address."""
    assert client.get("/account/")["Location"].startswith("/account/login/")
    data = {"email": "Ada@Example.com", "name": "Ada Lovelace", "password": "three green kettles"}
    assert client.post("/account/new/", data)["Location"] == "/account/"
    assert "Nothing ordered yet" in client.get("/account/").content.decode()
    client.post("/account/logout/")
    assert client.get("/account/").status_code == 302
    assert client.post("/account/new/", data).status_code == 422
    response = client.post("/account/login/", {"username": "ADA@example.com", "password": data["password"]})
    assert response["Location"] == "/account/"


@pytest.mark.parametrize(
    ("to", "goes"),
    [
        ("/saved/?a=b", "/saved/?a=b"),
        ("https://evil.example/", "/account/"),
        ("//evil.example", "/account/"),
        ("", "/account/"),
    ],
)
def test_a_new_account_leads_back(client: Client, home: HomePage, to: str, goes: str) -> None:
    """Where one came from, as the login does; to no other site."""
    page = client.get("/account/new/", {"next": to}).content.decode()
    assert ('name="next" value="/saved/?a=b"' in page) is (goes == "/saved/?a=b")
    assert "evil" not in page
    data = {"email": "ada@example.com", "name": "Ada Lovelace", "password": "three green kettles", "next": to}
    assert client.post("/account/new/", data)["Location"] == goes


def test_an_account_lists_its_own_orders_only(
    client: Client, make_order: Callable[..., object], django_user_model
) -> None:
    """TY-3: guest orders belong to nobody."""
    ada = django_user_model.objects.create_user("ada@example.com", "ada@example.com", "pw")
    eve = django_user_model.objects.create_user("eve@example.com", "eve@example.com", "pw")
    guest, mine = make_order(), make_order(user=ada)
    client.force_login(ada)
    text = client.get("/account/").content.decode()
    assert f"/thanks/order/{mine.number}/" in text
    assert guest.number not in text
    client.force_login(eve)
    assert mine.number not in client.get("/account/").content.decode()
