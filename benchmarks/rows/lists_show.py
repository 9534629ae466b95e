"""A list of 100 products: ours (saved for later, a wish list, as JSON) beside a bare view, Oscar's pages and flexcommerce's."""

from __future__ import annotations

from typing import Any

from django.core.handlers.wsgi import WSGIHandler
from django.urls import reverse
from oscar.core.loading import get_model

from wishlists.kinds import SAVED, WISH
from wishlists.models import ListItem, ProductList

from .. import peers
from ..browser import Browser
from ..catalog import Catalog
from ..measuring import Budget, Side, Table, at_most, sql_of, tabulate, take_turns
from ..models import BareItem
from ..shop import expect, fill_basket, make_more_products, sign_in

ITEMS = 100
#: What DESIGN allows.
QUERIES, TIMES = 5, 3
JSON = "application/json"


def measure(*, app: WSGIHandler, products: list[Any], rounds: int) -> list[Table]:
    """The same products for all sides; everybody is logged in."""
    products = make_more_products(ITEMS)
    browser = Browser(app)
    user = sign_in(browser, "eva@example.com")
    titles = [product.title for product in products]
    saved, wish = fill_ours(user, SAVED, products), fill_ours(user, WISH, products)
    BareItem.objects.bulk_create(
        BareItem(owner=user, product_ref=product.pk, title=product.title) for product in products
    )
    page = Side("our page, saved for later", browser.prepare("GET", reverse("thankyou_wishlists:saved")))
    wish_page = Side("our wish list page", browser.prepare("GET", reverse("thankyou_wishlists:list", args=[wish.key])))
    data = Side(
        "our JSON, saved for later",
        browser.prepare("GET", reverse("thankyou_wishlists:api_list", args=[SAVED]), accept=JSON),
    )
    bare = Side("bare view, one SELECT, 100 links", browser.prepare("GET", "/bare/saved/"))
    oscar_page, oscar_basket = oscar_sides(app, products)
    sides = [page, wish_page, data, bare, oscar_page, oscar_basket, *flexcommerce_sides(app, products)]
    assert saved.items.count() == ITEMS
    for side in sides:
        # The first and the last name, as HTML or JSON would write them.
        expect(side.run(), 200, plain(titles[0]), plain(titles[-1]))
    take_turns(sides, rounds=rounds, warm_up=min(rounds, 10))
    budgets = []
    for side in (page, wish_page, data):
        budgets += [
            at_most(TIMES, side, bare, f"{side.name} × {bare.name}"),
            Budget(f"{side.name}: queries of its own", len(own_queries(side)), QUERIES, "queries"),
        ]
    return [tabulate(f"A list of {ITEMS} products", sides, budgets)]


def own_queries(side: Side) -> list[str]:
    """Return the statements of a turn, session and account included, without what Oscar's shop asks for on every page."""
    return [sql for sql in sql_of(side) if "communication_notification" not in sql]


def fill_ours(user: Any, kind: str, products: list[Any]) -> ProductList:
    """Put the products on a list, as they would have been saved: with their titles and prices."""
    cards = Catalog().get_products(refs=[str(product.pk) for product in products])
    row = ProductList.objects.create(owner=user, kind=kind, name="Birthday" if kind == WISH else "")
    ListItem.objects.bulk_create(
        ListItem(list=row, product_ref=card.ref, title=card.title, price=card.price) for card in cards.values()
    )
    return row


def oscar_sides(app: WSGIHandler, products: list[Any]) -> list[Side]:
    """Return Oscar's wish list and basket with these products."""
    browser = Browser(app)
    user = sign_in(browser, "fran@example.com")
    wish_list = get_model("wishlists", "WishList").objects.create(owner=user, name="Birthday")
    line = get_model("wishlists", "Line")
    line.objects.bulk_create(line(wishlist=wish_list, product=product, title=product.title) for product in products)
    wish_page = browser.prepare("GET", reverse("customer:wishlists-detail", args=[wish_list.key]))
    fill_basket(browser, products)
    basket = browser.prepare("GET", reverse("basket:summary"))
    return [Side("Oscar's wish list page", wish_page), Side("Oscar's basket page", basket)]


def flexcommerce_sides(app: WSGIHandler, products: list[Any]) -> list[Side]:
    """Return flexcommerce's wish list and saved items with as many products; it has no pages, only JSON."""
    browser = Browser(app)
    user = sign_in(browser, "gal@example.com")
    wares, sides = peers.make_wares(products), []
    if peers.is_there(peers.ENGAGEMENT):
        wish_list = peers.fill_wish_list(user, wares)
        send = browser.prepare("GET", f"/flexcommerce/wishlists/{wish_list.pk}/", accept=JSON)
        sides.append(Side("flexcommerce's wish list (JSON)", send))
    if peers.is_there(peers.CART):
        peers.fill_saved(user, wares)
        send = browser.prepare("GET", "/flexcommerce/cart/saved/", accept=JSON)
        sides.append(Side("flexcommerce's saved items (JSON)", send))
    return sides


def plain(title: str) -> str:
    """Return the beginning of a title that needs no escaping."""
    return title.split("&")[0].split("'")[0].split("’")[0]
