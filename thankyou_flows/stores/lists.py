"""The shop behind the seam as the lists of ``wishlists`` need it.

``THANKYOU_WISHLISTS = {"CATALOG": "thankyou_flows.stores.get_store", "BASKET": "thankyou_flows.stores.lists.add_to_basket"}``
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from . import get_store

if TYPE_CHECKING:
    from django.http import HttpRequest


def add_to_basket(*, request: HttpRequest, product_ref: str, quantity: int = 1, options: str = "") -> bool:
    """Put a saved product into the shop's own basket; return whether it is in there now.

    False where the shop has no basket that we can reach, and for options of which it knows no variant.
    """
    store = get_store()
    if not store.can_add_to_basket:
        return False
    ref = store.get_variant(product_ref=product_ref, options=options)
    return ref is not None and store.add_to_basket(request=request, product_ref=ref, quantity=quantity)
