"""An Oscar shop with something to sell, and customers who order through Oscar's own checkout views."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest
from django.apps import apps
from django.core.cache import cache
from django.http import HttpResponse
from django.test import Client
from django.urls import reverse

if not apps.is_installed("oscar.apps.order"):
    raise pytest.UsageError("tests/oscar needs Oscar's settings: pytest tests/oscar --ds=tests.oscar.settings")

from django.contrib.sites.models import Site as DjangoSite  # noqa: E402
from oscar.core.loading import get_model  # noqa: E402
from wagtail.models import Locale, Page, Site  # noqa: E402

from coupons.issuing import issue  # noqa: E402
from coupons.models import Campaign, Coupon  # noqa: E402
from thankyou_flows.pages.models import ThankYouPage  # noqa: E402
from thankyou_flows.stores.oscar import OscarStore  # noqa: E402

SHIPPING = Decimal("4.90")
NOW = datetime(2026, 5, 4, 12, 0, tzinfo=UTC)

ADDRESS = {
    "first_name": "Ana",
    "last_name": "Novak",
    "line1": "Glavna 1",
    "line4": "Ljubljana",
    "postcode": "1000",
    "country": "SI",
}


def model(path: str) -> Any:
    return get_model(*path.split("."))


@dataclass
class Customer:
    """A browser that shops: a guest with an e-mail address, or somebody signed in."""

    client: Client
    email: str
    capture: Callable[..., AbstractContextManager[Any]]

    def add(self, product: Any, quantity: int = 1) -> None:
        response = self.client.post(reverse("basket:add", kwargs={"pk": product.pk}), {"quantity": quantity})
        assert response.status_code == 302, response.content

    def type_code(self, code: str) -> HttpResponse:
        return self.client.post(reverse("basket:vouchers-add"), {"code": code}, follow=True)

    def preview(self) -> HttpResponse:
        """Go through Oscar's checkout up to the page with the button "Place order"."""
        if "_auth_user_id" in self.client.session:
            self.client.get(reverse("checkout:index"))
        else:
            self.client.post(reverse("checkout:index"), {"username": self.email, "options": "anonymous"})
        self.client.post(reverse("checkout:shipping-address"), ADDRESS)
        self.client.get(reverse("checkout:shipping-method"))
        self.client.get(reverse("checkout:payment-method"))
        return self.client.get(reverse("checkout:payment-details"))

    def place(self) -> HttpResponse:
        with self.capture(execute=True):
            return self.client.post(reverse("checkout:preview"), {"action": "place_order"})

    def order(self, product: Any, *, quantity: int = 1, code: str = "") -> Any:
        """Buy the product and return Oscar's order; the browser has been sent to ``self.landed``."""
        self.add(product, quantity)
        if code:
            self.type_code(code)
        self.preview()
        response = self.place()
        assert response.status_code == 302, response.content.decode()
        self.landed = response["Location"]
        return model("order.Order").objects.latest("pk")


@pytest.fixture(autouse=True)
def empty_cache() -> Iterator[None]:
    """Rate limits and cached pages of one test are not those of the next."""
    cache.clear()
    yield
    cache.clear()


@pytest.fixture
def shop(db: None) -> Any:
    """What Oscar's and Wagtail's data migrations would have made, and a country to ship to."""
    DjangoSite.objects.get_or_create(pk=1, defaults={"domain": "testserver", "name": "Shop"})
    model("address.Country").objects.create(
        iso_3166_1_a2="SI", iso_3166_1_a3="SVN", printable_name="Slovenia", name="Slovenia", is_shipping_country=True
    )
    Locale.objects.get_or_create(language_code="en")
    root = Page.get_first_root_node() or Page.add_root(instance=Page(title="Root", slug="root"))
    home = root.add_child(instance=Page(title="Home", slug="shop-home"))
    Site.objects.all().delete()
    Site.objects.create(hostname="testserver", root_page=home, is_default_site=True)
    return home


@pytest.fixture
def make_product(shop: Any) -> Callable[..., Any]:
    """Make products that can be bought: ``make_product(title="Tea", price="20.00", stock=50)``."""
    made = 0

    def make(*, title: str = "Tea", price: str = "20.00", stock: int = 500, **fields: Any) -> Any:
        nonlocal made
        made += 1
        goods, _ = model("catalogue.ProductClass").objects.get_or_create(
            name="Goods", defaults={"requires_shipping": True, "track_stock": True}
        )
        parent = fields.get("parent")
        structure = fields.pop("structure", "child" if parent else "standalone")
        product = model("catalogue.Product").objects.create(
            title=title,
            upc=f"UPC-{made}",
            structure=structure,
            product_class=None if parent else goods,
            **fields,
        )
        if structure != "parent":
            partner, _ = model("partner.Partner").objects.get_or_create(name="Partner")
            model("partner.StockRecord").objects.create(
                product=product,
                partner=partner,
                partner_sku=f"SKU-{made}",
                price=Decimal(price),
                price_currency="EUR",
                num_in_stock=stock,
            )
        return product

    return make


@pytest.fixture
def product(make_product: Callable[..., Any]) -> Any:
    return make_product()


@pytest.fixture
def customer(shop: Any, django_capture_on_commit_callbacks: Any) -> Callable[..., Customer]:
    """Make customers, each with a browser of their own: ``customer("ana@example.com")``, ``customer(user=user)``."""

    def make(email: str = "ana@example.com", *, user: Any = None) -> Customer:
        client = Client()
        if user is not None:
            client.force_login(user, backend="django.contrib.auth.backends.ModelBackend")
        return Customer(client, user.email if user else email, django_capture_on_commit_callbacks)

    return make


@pytest.fixture
def make_user(db: None, django_user_model: Any) -> Callable[..., Any]:
    def make(name: str = "berta") -> Any:
        return django_user_model.objects.create_user(name, f"{name}@example.com", "secret")

    return make


@pytest.fixture
def free_shipping(db: None) -> Campaign:
    return Campaign.objects.create(
        title="Thank-you offer",
        status=Campaign.Status.RUNNING,
        benefit=Campaign.Benefit.FREE_SHIPPING,
        deadline_minutes=60,
    )


@pytest.fixture
def make_coupon(shop: Any) -> Callable[..., Coupon]:
    """Publish a coupon of a new campaign: ten percent off, unless changed."""

    def make(*, holder_key: str = "", usage_limit: int | None = None, **fields: Any) -> Coupon:
        fields = {"title": "C", "status": "running", "benefit": "percent", "percent": Decimal(10), **fields}
        coupon = issue(campaign=Campaign.objects.create(**fields), holder_key=holder_key, usage_limit=usage_limit)
        OscarStore().publish_coupon(coupon=coupon)
        return coupon

    return make


@pytest.fixture
def offer_page(shop: Any, free_shipping: Campaign) -> ThankYouPage:
    """A published thank-you page with the order and a countdown for free shipping."""
    page = ThankYouPage(
        title="Thank you",
        slug="thank-you",
        body=[("status", {}), ("offer", {"heading": "Forgot something?", "campaign": free_shipping}), ("summary", {})],
    )
    return shop.add_child(instance=page)


@pytest.fixture
def offer_of() -> Callable[[Any], Coupon]:
    """Return the coupon that an order's thank-you page promised."""

    def find(order: Any) -> Coupon:
        return Coupon.objects.select_related("campaign").get(issue_key__startswith=f"order:{order.number}:")

    return find
