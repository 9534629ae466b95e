"""flexcommerce as a peer for lists: its products, and carts, wish lists and saved items of its own in its own tables."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from django.apps import apps
from django.contrib.contenttypes.models import ContentType

from .models import Ware

CART, ENGAGEMENT = "flexcommerce_cart", "flexcommerce_engagement"


def is_there(name: str) -> bool:
    return apps.is_installed(name)


def make_wares(products: list[Any]) -> list[Ware]:
    """Make the same products for flexcommerce; return them."""
    wares = [Ware(name=product.title, price=Decimal("12.50"), stock=1_000_000) for product in products]
    return Ware.objects.bulk_create(wares)


def reference(ware: Ware) -> dict[str, Any]:
    return {"content_type": ContentType.objects.get_for_model(ware), "object_id": ware.pk}


def fill_wish_list(user: Any, wares: list[Ware]) -> Any:
    """Make a wish list with these products; return it."""
    wish_list = apps.get_model(ENGAGEMENT, "Wishlist").objects.create(user=user, is_default=True)
    item = apps.get_model(ENGAGEMENT, "WishlistItem")
    item.objects.bulk_create(item(wishlist=wish_list, **reference(ware)) for ware in wares)
    return wish_list


def fill_saved(user: Any, wares: list[Ware]) -> None:
    """Save these products for later."""
    item = apps.get_model(CART, "SavedItem")
    item.objects.bulk_create(item(user=user, saved_price=ware.price, **reference(ware)) for ware in wares)
