"""The Oscar example's addresses, our lists, flexcommerce's, and the bare views that are the floors."""

from __future__ import annotations

from django.apps import apps
from django.urls import include, path

from . import floors

urlpatterns = [
    path("bare/", floors.bare),
    path("bare/cart/add/", floors.cart_add),
    path("bare/cart/change/", floors.cart_change),
    path("bare/saved/", floors.saved),
    path("bare/saved/add/", floors.saved_add),
    *(
        path("flexcommerce/", include(f"{name}.urls"))
        for name in ("flexcommerce_cart", "flexcommerce_engagement")
        if apps.is_installed(name)
    ),
    path("", include("wishlists.urls")),
    path("", include("example_site.oscar.urls")),
]
