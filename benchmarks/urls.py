"""The Oscar example's addresses, our cookie cart, and the bare views that are the floors."""

from __future__ import annotations

from django.urls import include, path

from . import floors

urlpatterns = [
    path("bare/", floors.bare),
    path("bare/cart/add/", floors.cart_add),
    path("bare/cart/change/", floors.cart_change),
    path("", include("wishlists.urls")),
    path("", include("example_site.oscar.urls")),
]
