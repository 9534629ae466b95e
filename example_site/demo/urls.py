"""Addresses of what only a demo has: its mailbox and its pretend bank."""

from __future__ import annotations

from django.urls import path

from . import views

app_name = "demo"

urlpatterns = [
    path("mail/", views.mailbox, name="mailbox"),
    path("mail/<str:key>/", views.message, name="message"),
    path("mail/<str:key>/html/", views.message_html, name="message_html"),
    path("bank/", views.bank, name="bank"),
    path("bank/<str:reference>/", views.bank_answer, name="bank_answer"),
]
