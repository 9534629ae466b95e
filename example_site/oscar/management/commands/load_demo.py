"""Fill the Oscar example once: a few products, a country, a thank-you page with an offer, and somebody to sign in."""

from __future__ import annotations

import json
from decimal import Decimal
from pathlib import Path
from typing import Any

from django.conf import settings
from django.contrib.auth import get_user_model
from django.contrib.sites.models import Site as DjangoSite
from django.core.files.base import ContentFile
from django.core.management.base import BaseCommand
from django.db import transaction
from oscar.core.loading import get_model
from wagtail.models import Page, Site

from coupons.models import Campaign
from example_site.demo.campaigns import SPRING
from example_site.demo.thank_you import create_pages

DEMO = Path(__file__).resolve().parents[3] / "demo"
PRODUCTS_A_CATEGORY = 3

COUNTRIES = {
    "AT": ("AUT", "040", "Austria"),
    "DE": ("DEU", "276", "Germany"),
    "FR": ("FRA", "250", "France"),
    "GB": ("GBR", "826", "United Kingdom"),
    "NL": ("NLD", "528", "Netherlands"),
    "SI": ("SVN", "705", "Slovenia"),
}

Country = get_model("address", "Country")
Category = get_model("catalogue", "Category")
Partner = get_model("partner", "Partner")
Product = get_model("catalogue", "Product")
ProductClass = get_model("catalogue", "ProductClass")
ProductImage = get_model("catalogue", "ProductImage")
StockRecord = get_model("partner", "StockRecord")


class Command(BaseCommand):
    help = "Load the demo data of the Oscar example. Does nothing if they are there."

    def handle(self, *args: Any, **options: Any) -> None:
        if Product.objects.exists():
            self.stdout.write("The demo data are there already.")
            return
        with transaction.atomic():
            load_people()
            load_countries()
            load_products()
            load_pages()
        self.stdout.write("The demo data are loaded.")


def load_people() -> None:
    user_model = get_user_model()
    if not user_model.objects.filter(username="admin").exists():
        user_model.objects.create_superuser("admin", "admin@kettle-and-fern.example", "admin")


def load_countries() -> None:
    for code, (code3, number, name) in COUNTRIES.items():
        Country.objects.update_or_create(
            iso_3166_1_a2=code,
            defaults={
                "iso_3166_1_a3": code3,
                "iso_3166_1_numeric": number,
                "printable_name": name,
                "name": name,
                "is_shipping_country": True,
            },
        )


def load_products() -> None:
    catalogue = json.loads((DEMO / "catalogue.json").read_text(encoding="utf-8"))
    partner = Partner.objects.create(name="Kettle & Fern")
    goods = ProductClass.objects.create(name="Goods", requires_shipping=True, track_stock=True)
    for entry in catalogue["categories"]:
        category = Category.add_root(name=entry["title"], description=entry["intro"])
        of_category = [product for product in catalogue["products"] if product["category"] == entry["slug"]]
        for product in of_category[:PRODUCTS_A_CATEGORY]:
            load_product(product, category=category, goods=goods, partner=partner)


def load_product(entry: dict[str, Any], *, category: Any, goods: Any, partner: Any) -> None:
    product = Product.objects.create(
        title=entry["title"],
        upc=entry["sku"],
        product_class=goods,
        description="".join(f"<p>{paragraph}</p>" for paragraph in [entry["summary"], *entry["description"]]),
    )
    product.categories.add(category)
    StockRecord.objects.create(
        product=product,
        partner=partner,
        partner_sku=entry["sku"],
        price=Decimal(entry["price"]),
        price_currency=settings.OSCAR_DEFAULT_CURRENCY,
        num_in_stock=max(entry["stock"], 1),
    )
    picture = DEMO / "pictures" / entry.get("picture", "")
    if picture.is_file():
        image = ProductImage(product=product, caption=entry.get("picture_alt", "")[:200])
        image.original.save(picture.name, ContentFile(picture.read_bytes()), save=False)
        image.save()


def load_pages() -> None:
    DjangoSite.objects.update_or_create(
        pk=settings.SITE_ID, defaults={"domain": f"127.0.0.1:{settings.PORT}", "name": settings.OSCAR_SHOP_NAME}
    )
    root = Page.get_first_root_node()
    home = root.get_children().first() or root.add_child(instance=Page(title="Kettle & Fern", slug="home"))
    Site.objects.get_or_create(is_default_site=True, defaults={"hostname": "localhost", "root_page": home})
    create_pages(home)
    # "On tea": our shop calls the shelf by its slug, Oscar a category by its number.
    spring = Campaign.objects.get(title=SPRING)
    spring.categories_in = [str(Category.objects.get(name="Tea").pk)]
    spring.save()
