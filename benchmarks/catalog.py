"""The least that a shop's catalogue can do for the cookie cart: one query for whether a product can be bought."""

from __future__ import annotations

from collections.abc import Iterable

from django.conf import settings
from djmoney.money import Money
from oscar.core.loading import get_model

from wishlists.catalog import ProductCard

StockRecord = get_model("partner", "StockRecord")


class Catalog:
    """Oscar's products, so that the cookie cart and Oscar's basket sell the same things."""

    def get_products(self, *, refs: Iterable[str]) -> dict[str, ProductCard]:
        rows = StockRecord.objects.filter(product__in=list(refs), product__is_public=True).values_list(
            "product_id", "product__title", "price", "num_in_stock"
        )
        return {
            str(key): ProductCard(
                ref=str(key),
                title=title,
                url="",
                price=Money(price, settings.OSCAR_DEFAULT_CURRENCY),
                max_quantity=stock,
            )
            for key, title, price, stock in rows
        }
