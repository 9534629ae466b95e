"""Addresses of the lists: ``path("", include("wishlists.urls"))``, or below a prefix of the shop's choice."""

from __future__ import annotations

from django.urls import path, register_converter
from django.urls.converters import StringConverter

from .models.keys import KEY_LENGTH
from .views import cart, state

app_name = "thankyou_wishlists"


class KeyConverter(StringConverter):
    """A key of a list or a link: 128 random bits, written for addresses (SL-3)."""

    regex = f"[A-Za-z0-9_-]{{{KEY_LENGTH}}}"


register_converter(KeyConverter, "list_key")

urlpatterns = [
    path("cart/", cart.cart, name="cart"),
    path("cart/add/", cart.cart_add, name="cart_add"),
    path("cart/change/", cart.cart_change, name="cart_change"),
    path("lists/state/", state.state, name="state"),
]
