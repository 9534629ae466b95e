"""News of saved products: beside a loop over the items, Oscar's alerts and flexcommerce's job; and how long and how much
memory 100,000 saved items take.
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from typing import Any

from django.apps import apps
from django.contrib.auth import get_user_model
from django.core.handlers.wsgi import WSGIHandler
from django.db import transaction
from django.db.models import F
from djmoney.money import Money
from oscar.core.loading import get_class, get_model

from wishlists.catalog import get_catalog
from wishlists.models import CatalogEvent, ItemNews, ListItem, ProductList, ProductWatch
from wishlists.news.finding import find_news
from wishlists.signals import price_dropped

from .. import peers
from ..measuring import Budget, Side, Table, tabulate, take_turns

#: As the issue asks for, by so many accounts; and so many that peers are through in a second or two.
MANY, FEW, ACCOUNTS = 100_000, 1_000, 1_000
#: Different products among them.
GOODS = 5_000
#: Peak memory of the whole process, in MB, and what of it the command may add to what Django and the shop take.
MEMORY, ADDED = 250, 60
#: Under so many rounds somebody only wants to see that it runs.
IN_EARNEST = 10

DEAR, CHEAP = Money(13, "EUR"), Money(12, "EUR")


def measure(*, app: WSGIHandler, products: list[Any], rounds: int) -> list[Table]:
    """A thousand items beside peers, a hundred thousand in a process of their own."""
    many, few, goods = (MANY, FEW, GOODS) if rounds >= IN_EARNEST else (2_000, 100, 100)
    wares = make_goods(products[0], goods)
    tables = [_beside_peers(wares[: few // 10], few, rounds=max(1, min(rounds // 10, 5)))]
    save(wares, many, accounts=max(1, many // 100))
    return [*tables, _memory()]


def make_goods(like: Any, count: int) -> list[Any]:
    """Make that many products in Oscar's catalogue; return them."""
    product, record = get_model("catalogue", "Product"), get_model("partner", "StockRecord")
    goods = product.objects.bulk_create(
        (
            product(title=f"Ware {n}", slug=f"ware-{n}", upc=f"W-{n}", product_class_id=like.product_class_id)
            for n in range(count)
        ),
        batch_size=1000,
    )
    partner = like.stockrecords.get().partner
    record.objects.bulk_create(
        (
            record(product=ware, partner=partner, partner_sku=ware.upc, price=12, price_currency="EUR", num_in_stock=99)
            for ware in goods
        ),
        batch_size=1000,
    )
    return goods


def save(goods: list[Any], count: int, *, accounts: int) -> None:
    """Let accounts save so many items of these products in all, none of them before."""
    ListItem.objects.all().delete()
    CatalogEvent.objects.all().delete()
    ProductWatch.objects.all().delete()
    users = get_user_model().objects
    first = users.count()
    owners = users.bulk_create(
        [users.model(username=f"saver{first + n}", email=f"saver{first + n}@example.com") for n in range(accounts)]
    )
    lists = ProductList.objects.bulk_create(ProductList(owner=owner, kind="saved") for owner in owners)
    # Each account begins somewhere else and takes every seventh: all products are on about as many lists.
    ListItem.objects.bulk_create(
        (
            ListItem(
                list=lists[n % accounts],
                product_ref=str(goods[(n // accounts * 7 + n % accounts * 3) % len(goods)].pk),
                options=str(n // accounts // len(goods)) if n // accounts >= len(goods) else "",
                title="Ware",
                price=DEAR,
            )
            for n in range(count)
        ),
        batch_size=1000,
    )


def _beside_peers(goods: list[Any], count: int, *, rounds: int) -> Table:
    """Every product on the lists has become cheaper, and each item is told."""
    save(goods, count, accounts=count // 10)
    find_news()
    told: list[int] = []
    price_dropped.connect(lambda items, **_more: told.append(len(items)), weak=False, dispatch_uid="benchmarks")
    sides = [
        Side("ours", find_news, before=_dearer),
        Side("ours, nothing new", find_news),
        Side("a loop over the items", _loop, before=_dearer),
        Side("Oscar's alerts, which mail", *_oscar(goods, count)),
        *([Side("flexcommerce's job", *_flexcommerce(goods, count))] if peers.is_there(peers.ENGAGEMENT) else []),
    ]
    for side in (sides[0], sides[2]):
        told.clear()
        side.once()
        assert sum(told) == count, (side.name, sum(told))
    take_turns(sides, rounds=rounds, warm_up=1)
    price_dropped.disconnect(dispatch_uid="benchmarks")
    return tabulate(f"{count:,} saved items, each of them cheaper now", sides, [])


def _dearer() -> None:
    """At the last look everything cost more."""
    CatalogEvent.objects.all().delete()
    ProductWatch.objects.update(price=DEAR)


def _loop() -> None:
    """What one writes first: look each item's product up, and note and tell what became of it."""
    catalog = get_catalog()
    for item in ListItem.objects.select_related("list__owner"):
        card = catalog.get_products(refs=[item.product_ref]).get(item.product_ref)
        if card is None or card.price is None or item.price is None or not card.price < item.price:
            continue
        with transaction.atomic():
            event = CatalogEvent.objects.create(
                kind=CatalogEvent.Kind.PRICE_DROP, product_ref=item.product_ref, title=card.title, price=card.price
            )
            ItemNews.objects.create(item=item, event=event)
        price_dropped.send_robust(sender=CatalogEvent, event=event, items=[item])


def _oscar(goods: list[Any], count: int) -> tuple[Callable[[], Any], Callable[[], Any]]:
    """Its command for what is back in stock: it knows no prices, and writes the mails itself (which go nowhere here)."""
    alert = get_model("customer", "ProductAlert")
    owners = list(get_user_model().objects.filter(product_lists__kind="saved"))
    alert.objects.bulk_create(
        alert(product=goods[n // len(owners) % len(goods)], user=owners[n % len(owners)]) for n in range(count)
    )
    send = get_class("customer.alerts.utils", "AlertsDispatcher")().send_alerts

    def before() -> None:
        alert.objects.update(status=alert.ACTIVE)
        get_model("communication", "Notification").objects.all().delete()

    return send, before


def _flexcommerce(goods: list[Any], count: int) -> tuple[Callable[[], Any], Callable[[], Any]]:
    """Its job for price drops: at most once for an item, ever."""
    from flexcommerce_engagement.services import detect_price_drops

    item, wish_list = (apps.get_model(peers.ENGAGEMENT, name) for name in ("WishlistItem", "Wishlist"))
    wares = peers.make_wares(goods)
    owners = list(get_user_model().objects.filter(product_lists__kind="saved"))
    lists = wish_list.objects.bulk_create(wish_list(user=owner, is_default=True) for owner in owners)
    item.objects.bulk_create(
        item(wishlist=lists[n % len(lists)], added_price=99, **peers.reference(wares[n // len(lists) % len(wares)]))
        for n in range(count)
    )

    def run() -> None:
        assert detect_price_drops(limit=count)["alerts"] == count

    return run, lambda: item.objects.update(price_alert_sent_at=None)


def _memory() -> Table:
    """In a process of its own, since a peak never goes down again."""
    command = [sys.executable, "-m", "benchmarks.news_memory"]
    found = json.loads(subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout)
    get_model("partner", "StockRecord").objects.update(price=F("price") + 1)
    looks = found["looks"]
    rows = [
        {
            "name": f"{look['name']}, {look['products']:,} products, {look['told']:,} items told",
            "milliseconds": look["seconds"] * 1000,
            "ratio": looks[0]["seconds"] / look["seconds"],
            "busy_ratio": looks[0]["seconds"] / look["seconds"],
            "queries": look["queries"],
            "writes": look["writes"],
        }
        for look in looks
    ]
    budgets = [
        Budget("peak memory of the process", found["peak"], MEMORY, "MB"),
        Budget("of it more than at the start", found["peak"] - found["start"], ADDED, "MB"),
    ]
    return Table(f"The news of {found['items']:,} saved items", rows, budgets)
