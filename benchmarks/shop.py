"""An Oscar shop, a thank-you page of 12 blocks, a static page of 12, and orders from Oscar's own checkout."""

from __future__ import annotations

import json
from decimal import Decimal
from itertools import cycle
from pathlib import Path
from typing import Any

from django.conf import settings
from django.contrib.auth import get_user_model
from django.contrib.sites.models import Site as DjangoSite
from django.core.files.base import ContentFile
from django.core.handlers.wsgi import WSGIHandler
from django.test import Client
from django.urls import reverse
from oscar.core.loading import get_model
from wagtail.models import Locale, Page, Site

from coupons.models import Campaign
from thankyou_flows.pages.models import ThankYouPage

from .browser import Answer, Browser
from .models import StaticPage

DEMO = Path(__file__).resolve().parent.parent / "example_site" / "demo"
BLOCKS = 12
ADDRESS = {
    "first_name": "Ana",
    "last_name": "Novak",
    "line1": "Glavna 1",
    "line4": "Ljubljana",
    "postcode": "1000",
    "country": "SI",
}
PARAGRAPH = (
    "<p>We pack by hand, usually on the same day. You get a mail when the parcel leaves, and nothing in between. "
    "If you spot a mistake in the address, just answer the <b>confirmation mail</b>.</p>"
)


def make_shop() -> list[Any]:
    """Fill empty tables; return the products."""
    DjangoSite.objects.update_or_create(pk=settings.SITE_ID, defaults={"domain": "testserver", "name": "Shop"})
    get_model("address", "Country").objects.create(
        iso_3166_1_a2="SI", iso_3166_1_a3="SVN", printable_name="Slovenia", name="Slovenia", is_shipping_country=True
    )
    Locale.objects.get_or_create(language_code="en")
    home = Page.add_root(instance=Page(title="Root", slug="root")).add_child(instance=Page(title="Home", slug="home"))
    Site.objects.create(hostname="testserver", root_page=home, is_default_site=True)
    home.add_child(instance=ThankYouPage(title="Thank you", slug="thank-you", body=live_blocks()))
    home.add_child(instance=StaticPage(title="Thank you", slug="static", body=static_blocks()))
    return make_products()


def live_blocks() -> list[tuple[str, dict[str, Any]]]:
    """Every kind of block that the package has; each of them asks who is looking at which order."""
    running = {"status": Campaign.Status.RUNNING}
    shipping = Campaign.objects.create(
        title="Shipping", benefit=Campaign.Benefit.FREE_SHIPPING, deadline_minutes=60, **running
    )
    percent = Campaign.objects.create(title="Percent", benefit=Campaign.Benefit.PERCENT, percent=10, **running)
    friend = Campaign.objects.create(
        title="Friend", benefit=Campaign.Benefit.PERCENT, percent=5, uses_per_coupon=3, **running
    )
    return [
        ("status", {}),
        ("text", {"text": PARAGRAPH.replace("We pack", "{first_name}, we pack")}),
        ("offer", {"heading": "Forgot something?", "campaign": shipping, "text": "Order again before then."}),
        ("heading", {"text": "For later, {first_name}"}),
        ("coupon", {"heading": "And for your next visit", "campaign": percent, "text": "Keep it, or give it away."}),
        ("coupon", {"heading": "For your friends", "campaign": friend, "text": "Three of them."}),
        ("heading", {"text": "What happens with order {order_number}"}),
        ("text", {"text": PARAGRAPH}),
        ("newsletter", {}),
        ("heading", {"text": "Questions?"}),
        ("text_everywhere", {"text": PARAGRAPH}),
        ("summary", {"heading": "Your order", "show_pictures": True, "show_addresses": True}),
    ]


def static_blocks() -> list[tuple[str, str]]:
    return [("heading", "What happens now"), ("text", PARAGRAPH)] * (BLOCKS // 2)


def make_products() -> list[Any]:
    """The example shop's two dozen, with their drawings: no thumbnail has to be made of those."""
    catalogue = json.loads((DEMO / "catalogue.json").read_text(encoding="utf-8"))
    partner = get_model("partner", "Partner").objects.create(name="Partner")
    goods = get_model("catalogue", "ProductClass").objects.create(name="Goods", requires_shipping=True)
    categories = {
        entry["slug"]: get_model("catalogue", "Category").add_root(name=entry["title"])
        for entry in catalogue["categories"]
    }
    return [make_product(entry, categories, goods, partner) for entry in catalogue["products"]]


def make_more_products(number: int) -> list[Any]:
    """Add products until there are so many, each a copy of one that the shop has; return them."""
    model = get_model("catalogue", "Product")
    catalogue = json.loads((DEMO / "catalogue.json").read_text(encoding="utf-8"))["products"]
    category = get_model("catalogue", "Category").objects.order_by("pk")[0]
    categories = {entry["category"]: category for entry in catalogue}
    goods, partner = get_model("catalogue", "ProductClass").objects.get(), get_model("partner", "Partner").objects.get()
    entries = cycle(catalogue)
    for copy in range(number - model.objects.count()):
        entry = next(entries)
        more = {"title": f"{entry['title']}, no. {copy}", "sku": f"{entry['sku']}-{copy}"}
        make_product({**entry, **more}, categories, goods, partner)
    return list(model.objects.order_by("pk")[:number])


def sign_in(browser: Browser, email: str) -> Any:
    """Make an account and let the browser be logged in as it; return it."""
    user = get_user_model().objects.create_user(email, email, "secret")
    client = Client()
    client.force_login(user, backend="django.contrib.auth.backends.ModelBackend")
    browser.cookies[settings.SESSION_COOKIE_NAME] = client.cookies[settings.SESSION_COOKIE_NAME].value
    return user


def make_product(entry: dict[str, Any], categories: dict[str, Any], goods: Any, partner: Any) -> Any:
    product = get_model("catalogue", "Product").objects.create(
        title=entry["title"], upc=entry["sku"], product_class=goods, description=entry["summary"]
    )
    product.categories.add(categories[entry["category"]])
    get_model("partner", "StockRecord").objects.create(
        product=product,
        partner=partner,
        partner_sku=entry["sku"],
        price=Decimal(entry["price"]),
        price_currency=settings.OSCAR_DEFAULT_CURRENCY,
        num_in_stock=1_000_000,
    )
    picture = DEMO / "pictures" / entry.get("picture", "")
    if picture.is_file():
        image = get_model("catalogue", "ProductImage")(product=product, caption=entry["title"])
        image.original.save(picture.name, ContentFile(picture.read_bytes()), save=False)
        image.save()
    return product


def fill_basket(browser: Browser, products: list[Any]) -> None:
    """Put one of each into Oscar's basket."""
    for product in products:
        expect(browser.send("POST", reverse("basket:add", kwargs={"pk": product.pk}), {"quantity": 1}), 302)
        # What is said after each of them stands in a cookie; it was read on the next page.
        browser.cookies.pop("messages", None)


def order(app: WSGIHandler, products: list[Any], *, email: str) -> tuple[Browser, str]:
    """Buy one of each as a guest in Oscar's checkout; return the browser and where it was sent: to our page.

    A new address each time: nobody gets the same countdown offer twice in a month.
    """
    browser = Browser(app)
    fill_basket(browser, products)
    guest = {"username": email, "options": "anonymous"}
    expect(browser.send("POST", reverse("checkout:index"), guest), 302)
    expect(browser.send("POST", reverse("checkout:shipping-address"), ADDRESS), 302)
    expect(browser.send("GET", reverse("checkout:shipping-method")), 302)
    expect(browser.send("GET", reverse("checkout:payment-method")), 302)
    expect(browser.send("GET", reverse("checkout:payment-details")), 200)
    placed = expect(browser.send("POST", reverse("checkout:preview"), {"action": "place_order"}), 302)
    browser.cookies.pop("messages", None)
    return browser, placed.location


def expect(answer: Answer, status: int, *parts: str) -> Answer:
    """Return the answer if it is the right one: a failing page is quick, and must not be measured.

    Raises AssertionError if the status is another, or one of the parts is not in the body.
    """
    missing = [part for part in parts if part not in answer.text]
    if answer.status != status or missing:
        raise AssertionError(f"{answer.status} instead of {status}, without {missing}:\n{answer.text[:2000]}")
    return answer
