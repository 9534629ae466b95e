"""A small shop for tests, and what a customer does in it."""

from __future__ import annotations

import re
import uuid
from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest
from django.core.cache import cache
from django.http import HttpResponse
from django.test import Client
from djmoney.money import Money
from wagtail.models import Page, Site

from coupons.issuing import issue
from coupons.models import Campaign, Coupon
from example_site.shop.models import Category, CategoryPage, HomePage, Order, Payment, Product, ProductPage
from example_site.shop.placing import Customer, place_order

ADDRESS = {
    "email": "ada@example.com",
    "name": "Ada Lovelace",
    "street": "Rosenweg 1",
    "street_extra": "",
    "postcode": "10115",
    "city": "Berlin",
    "country": "DE",
    "phone": "",
}


@pytest.fixture(autouse=True)
def empty_cache() -> None:
    """Wagtail remembers where the sites begin; each test has its own."""
    cache.clear()


@pytest.fixture
def home(db: None) -> HomePage:
    page: HomePage = Page.get_first_root_node().add_child(instance=HomePage(title="Shop", slug="shop", headline="Tea"))
    Site.objects.update_or_create(is_default_site=True, defaults={"hostname": "localhost", "root_page": page})
    return page


@pytest.fixture
def shelf(home: HomePage) -> CategoryPage:
    category = Category.objects.create(slug="tea", title="Tea")
    page: CategoryPage = home.add_child(
        instance=CategoryPage(title="Tea", slug="tea", category=category, show_in_menus=True)
    )
    return page


@pytest.fixture
def make_product(shelf: CategoryPage) -> Callable[..., Product]:
    def make(sku: str = "T-1", *, price: str = "10.00", stock: int = 10, title: str = "") -> Product:
        slug = sku.lower()
        product = Product.objects.create(
            sku=sku,
            title=title or f"Tea {sku}",
            slug=slug,
            category=shelf.category,
            price=Money(Decimal(price), "EUR"),
            stock=stock,
        )
        shelf.add_child(instance=ProductPage(title=product.title, slug=slug, product=product))
        shelf.refresh_from_db()
        return product

    return make


@pytest.fixture
def tea(make_product: Callable[..., Product]) -> Product:
    return make_product()


@pytest.fixture
def make_coupon(db: None) -> Callable[..., Coupon]:
    def make(benefit: str = Campaign.Benefit.FREE_SHIPPING, *, holder_key: str = "", **values: Any) -> Coupon:
        campaign = Campaign.objects.create(
            title="Test", status=Campaign.Status.RUNNING, benefit=benefit, **{"deadline_minutes": 60, **values}
        )
        return issue(campaign=campaign, holder_key=holder_key)

    return make


class Shopper:
    """Somebody with a browser."""

    def __init__(self, client: Client | None = None) -> None:
        self.client = client or Client()

    def put(self, product: Product, quantity: int = 1) -> None:
        response = self.client.post("/cart/add/", {"product_ref": product.sku, "quantity": quantity})
        assert response.status_code == 303

    def form(self) -> dict[str, str]:
        """Open the checkout and return its form, filled in."""
        page = self.client.get("/checkout/")
        assert page.status_code == 200
        return {**hidden(page), **ADDRESS, "shipping_method": "standard", "payment_method": "card"}

    def send(self, form: dict[str, str], action: str = "place", **changes: str) -> HttpResponse:
        return self.client.post("/checkout/", {**form, "action": action, **changes})

    def place(self, **changes: str) -> Order:
        """Go through the checkout and return the order."""
        form = {**self.form(), **changes}
        response = self.send({**form, **hidden(self.send(form, action="update"))})
        assert response.status_code == 302, errors(response)
        return Order.objects.latest("pk")

    def answer(self, payment: Payment, answer: str = "pay") -> HttpResponse:
        return self.client.post(f"/checkout/payment/{payment.reference}/", {"answer": answer})

    def pay(self, order: Order, answer: str = "pay") -> HttpResponse:
        return self.answer(order.payments.latest("pk"), answer)


def hidden(page: HttpResponse) -> dict[str, str]:
    """Return the hidden fields of the checkout page."""
    text = page.content.decode()
    found = {}
    for name in ("token", "seen_total"):
        match = re.search(rf'name="{name}" value="([^"]*)"', text)
        assert match, name
        found[name] = match[1]
    return found


def errors(response: HttpResponse) -> list[str]:
    """Return what the page complains about, for the message of a failed assertion."""
    return re.findall(r'class="errorlist[^>]*>(.*?)</', response.content.decode(), re.DOTALL)


@pytest.fixture
def shopper() -> Shopper:
    return Shopper()


@pytest.fixture
def make_order(tea: Product) -> Callable[..., Order]:
    """Place an order without a browser."""

    def make(*, user: Any = None, quantity: int = 1, method: str = "card", codes: list[str] | None = None) -> Order:
        customer = Customer(**ADDRESS)
        return place_order(
            token=uuid.uuid4(),
            quantities={(tea.sku, ""): quantity},
            customer=customer,
            shipping_method="standard",
            payment_method=method,
            codes=codes or [],
            user=user,
        )

    return make
