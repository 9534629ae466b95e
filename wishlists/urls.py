"""Addresses of the cart: ``path("cart/", include("wishlists.urls"))``."""

from __future__ import annotations

from django.urls import path

from . import views

app_name = "thankyou_wishlists"

urlpatterns = [
    path("", views.cart, name="cart"),
    path("add/", views.cart_add, name="cart_add"),
    path("change/", views.cart_change, name="cart_change"),
    path("summary/", views.cart_summary, name="cart_summary"),
]
