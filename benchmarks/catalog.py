"""The least that a shop's catalogue can do for our lists: one query for what products are and whether they can be bought."""

from __future__ import annotations

from collections.abc import Iterable

from django.conf import settings
from djmoney.money import Money
from oscar.core.loading import get_model

from wishlists.catalog import ProductCard

StockRecord = get_model("partner", "StockRecord")


class Catalog:
    """Oscar's products, so that our lists and Oscar's hold the same things."""

    def get_products(self, *, refs: Iterable[str]) -> dict[str, ProductCard]:
        rows = StockRecord.objects.filter(product__in=list(refs), product__is_public=True).values_list(
            "product_id", "product__title", "product__slug", "price", "num_in_stock"
        )
        return {
            str(key): ProductCard(
                ref=str(key),
                title=title,
                url=f"/catalogue/{slug}_{key}/",
                image_url=f"/media/{slug}.svg",
                price=Money(price, settings.OSCAR_DEFAULT_CURRENCY),
                max_quantity=stock,
            )
            for key, title, slug, price, stock in rows
        }
