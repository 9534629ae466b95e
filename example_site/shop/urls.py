"""Addresses of the shop's own pages; products and categories are Wagtail pages."""

from __future__ import annotations

from django.contrib.auth.views import LogoutView
from django.urls import path

from .views import account, checkout, payment

app_name = "shop"

urlpatterns = [
    path("checkout/", checkout.checkout, name="checkout"),
    path("checkout/payment/<str:reference>/", payment.payment, name="payment"),
    path("checkout/payment/<str:reference>/again/", payment.payment_retry, name="payment_retry"),
    path("account/", account.account, name="account"),
    path("account/new/", account.register, name="register"),
    path("account/confirm/", account.resend_confirmation, name="resend_confirmation"),
    path("account/confirm/<str:token>/", account.confirm_address, name="confirm_address"),
    path("account/newsletter/", account.newsletter, name="newsletter"),
    path("account/guide/", account.guide, name="guide"),
    path("account/login/", account.Login.as_view(), name="login"),
    path("account/logout/", LogoutView.as_view(), name="logout"),
]
