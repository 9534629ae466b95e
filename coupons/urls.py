"""Addresses of the coupons: ``path("coupons/", include("coupons.urls"))``."""

from __future__ import annotations

from django.urls import path

from .views import entry, mine, unlock

app_name = "thankyou_coupons"

urlpatterns = [
    path("", mine.mine, name="mine"),
    path("answers/", mine.answers, name="answers"),
    path("unlock/<str:token>/", unlock.unlock_link, name="unlock_link"),
    path("coupon/<int:pk>/", unlock.coupon, name="coupon"),
    path("apply/", entry.apply, name="apply"),
    path("remove/", entry.remove, name="remove"),
    path("api/", entry.api, name="api"),
]
