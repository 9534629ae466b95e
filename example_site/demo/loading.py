"""Filling the demo: people, goods, pages and campaigns. Every step may be repeated and then changes nothing."""

from __future__ import annotations

import json
from decimal import Decimal
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.contrib.auth import get_user_model
from django.contrib.auth.models import Group, Permission
from django.core.files.images import ImageFile
from django.db import transaction
from djmoney.money import Money
from wagtail.images import get_image_model
from wagtail.models import GroupPagePermission, Page, Site

from example_site.shop.models import Category, CategoryPage, FeaturedProduct, HomePage, Product, ProductPage
from example_site.shop.prices import write_past

from . import thank_you
from .campaigns import load_campaigns
from .letters import load_letters
from .lists import load_lists

HERE = Path(__file__).resolve().parent
FEATURED = 8
#: Days for which what has no other past was sold at today's price.
SOLD_FOR = 90
PUBLISHER_GROUP = "Shop team"


@transaction.atomic
def load() -> None:
    """Load whatever of the demo is not there yet."""
    data = json.loads((HERE / "catalogue.json").read_text(encoding="utf-8"))
    load_campaigns()
    load_products(data)
    home = load_pages(data)
    load_people(home)
    thank_you.create_pages(home)
    load_lists()
    load_letters()


def load_people(home: HomePage) -> None:
    """The owner, an editor who may publish and run campaigns, and a customer with an account."""
    users = get_user_model().objects
    if not users.filter(username="admin").exists():
        users.create_superuser("admin", "admin@kettle-and-fern.example", "admin")
    team, _created = Group.objects.get_or_create(name=PUBLISHER_GROUP)
    team.permissions.add(
        *Permission.objects.filter(content_type__app_label="wagtailadmin", codename="access_admin"),
        *Permission.objects.filter(content_type__app_label="thankyou_coupons", content_type__model="campaign"),
        *Permission.objects.filter(content_type__app_label="thankyou_coupons", codename__startswith="view_"),
        *Permission.objects.filter(content_type__app_label="thankyou_flows", codename__in=MAIL_PERMISSIONS),
        *Permission.objects.filter(content_type__app_label="thankyou_wishlists"),
        *Permission.objects.filter(content_type__app_label="shop", codename__in=SHOP_PERMISSIONS),
    )
    for codename in ("add_page", "change_page", "publish_page"):
        permission = Permission.objects.get(content_type__app_label="wagtailcore", codename=codename)
        GroupPagePermission.objects.get_or_create(group=team, page=home, permission=permission)
    editor, created = users.get_or_create(
        username="editor",
        defaults={"email": "editor@kettle-and-fern.example", "first_name": "Edda", "is_staff": False},
    )
    if created:
        editor.set_password("editor")
        editor.save()
    editor.groups.add(team, *Group.objects.filter(name="Editors"))
    if not users.filter(username="customer@example.com").exists():
        users.create_user(
            "customer@example.com", "customer@example.com", "customer", first_name="Clara", last_name="Customer"
        )


#: Not: suppressions that providers reported, and the data of people; those are the owner's.
MAIL_PERMISSIONS = [
    "view_subscription", "view_mailinglist", "add_mailinglist", "change_mailinglist", "view_followup", "add_followup",
    "change_followup", "delete_followup", "view_message", "requeue_message", "view_suppression",
]  # fmt: skip

SHOP_PERMISSIONS = [
    "view_order", "change_order", "view_product", "add_product", "change_product", "view_category", "change_category",
]  # fmt: skip


def load_products(data: dict[str, Any]) -> None:
    """Categories and products. What is there already keeps its price and stock."""
    categories = {}
    for position, row in enumerate(data["categories"]):
        categories[row["slug"]], _created = Category.objects.get_or_create(
            slug=row["slug"], defaults={"title": row["title"], "position": position}
        )
    for row in data["products"]:
        low, high = row["delivery_days"]
        product, created = Product.objects.get_or_create(
            sku=row["sku"],
            defaults={
                "title": row["title"],
                "slug": row["slug"],
                "category": categories[row["category"]],
                "summary": row["summary"],
                "price": Money(Decimal(str(row["price"])), "EUR"),
                "stock": row["stock"],
                "delivery_days_min": low,
                "delivery_days_max": high,
                "choices_text": "\n".join(row.get("choices", ())),
            },
        )
        if created:
            past = row.get("past_prices", [[SOLD_FOR, row["price"]]])
            write_past(product=product, past=[(days, Decimal(amount)) for days, amount in past])


def load_pages(data: dict[str, Any]) -> HomePage:
    """The home page as the site's root, below it a page for each category and product."""
    home = HomePage.objects.first() or _create_home()
    _point_site_to(home)
    products = {product.sku: product for product in Product.objects.select_related("category")}
    shelves = {page.category.slug: page for page in CategoryPage.objects.select_related("category")}
    described = set(ProductPage.objects.values_list("product__sku", flat=True))
    for row in data["categories"]:
        if row["slug"] not in shelves:
            first = next(product for product in data["products"] if product["category"] == row["slug"])
            shelves[row["slug"]] = home.add_child(
                instance=CategoryPage(
                    title=row["title"],
                    slug=row["slug"],
                    category=Category.objects.get(slug=row["slug"]),
                    intro=row["intro"],
                    image=_picture(first["picture"], first["title"]),
                    show_in_menus=True,
                )
            )
    for row in data["products"]:
        if row["sku"] in described:
            continue
        shelves[row["category"]].add_child(
            instance=ProductPage(
                title=row["title"],
                slug=row["slug"],
                product=products[row["sku"]],
                image=_picture(row["picture"], row["title"]),
                image_alt=row["picture_alt"],
                story=_story(row),
            )
        )
    if not home.featured_products.exists():
        for order, row in enumerate(_featured(data)):
            FeaturedProduct.objects.create(page=home, product=products[row["sku"]], sort_order=order)
    return home


def _create_home() -> HomePage:
    root = Page.get_first_root_node()
    # Wagtail's own welcome page, as its first migration makes it; anything else is somebody's work.
    for welcome in root.get_children().filter(slug="home", content_type__model="page"):
        welcome.delete()
    root = Page.objects.get(pk=root.pk)
    home: HomePage = root.add_child(
        instance=HomePage(
            title="Kettle & Fern",
            slug="home",
            seo_title="Tea and what belongs to it",
            headline="A good cup, an unhurried hour",
            lead="Loose tea from people we know by name, and pots that pour without a drop beside the cup.",
            button_text="Look at the teas",
            intro=(
                "<h3>Who we are</h3><p>Two people, one kettle and a shelf that grew. "
                "We taste everything before it is listed, pack every parcel ourselves, and send it in paper.</p>"
            ),
            image=_picture("hero.svg", "A kettle and ferns by a window"),
        )
    )
    return home


def _point_site_to(home: HomePage) -> None:
    """Make the home page the root of the default site, at the address that this demo is served from."""
    address = urlsplit(settings.SHOP_BASE_URL)
    site = Site.objects.filter(is_default_site=True).first() or Site(is_default_site=True)
    wanted = {
        "hostname": address.hostname or "localhost",
        "port": address.port or 80,
        "root_page_id": home.pk,
        "site_name": settings.WAGTAIL_SITE_NAME,
    }
    if any(getattr(site, name) != value for name, value in wanted.items()):
        for name, value in wanted.items():
            setattr(site, name, value)
        site.save()


def _featured(data: dict[str, Any]) -> list[dict[str, Any]]:
    """Return two products of each shelf that can be bought."""
    chosen = []
    for category in data["categories"]:
        shelf = [row for row in data["products"] if row["category"] == category["slug"] and row["stock"]]
        chosen += shelf[: FEATURED // len(data["categories"])]
    return chosen


def _story(row: dict[str, Any]) -> list[tuple[str, Any]]:
    text = "".join(f"<p>{paragraph}</p>" for paragraph in row["description"])
    facts = [{"label": label, "value": value} for label, value in row["details"]]
    return [("text", text), ("facts", facts)]


def _picture(name: str, title: str) -> Any:
    """Return the picture as an image of Wagtail, made from the demo's own drawings; None if the drawing is missing."""
    path = HERE / "pictures" / name
    if not path.exists():
        return None
    images = get_image_model().objects
    found = images.filter(title=title).first()
    if found is not None:
        return found
    with path.open("rb") as file:
        return images.create(title=title, file=ImageFile(file, name=name))
