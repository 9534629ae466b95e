"""Addresses of this app. Include them at a stable place: ``path("thanks/", include("thankyou_flows.urls"))``."""

from __future__ import annotations

from django.urls import path

from .views import actions, mail, newsletter, orders

app_name = "thankyou_flows"

urlpatterns = [
    path("", orders.latest, name="thank_you"),
    # "path", because some shops number their orders 2026/0001.
    path("order/<path:number>/", orders.order, name="order"),
    path("confirm-email/<path:number>/", orders.confirm_email, name="confirm_email"),
    path("link/<str:token>/", orders.open_link, name="link"),
    path("forget/", orders.forget, name="forget"),
    path("act/<int:page_id>/<str:block_id>/", actions.act, name="act"),
    path("clock/", actions.clock, name="clock"),
    path("newsletter/subscribe/", newsletter.subscribe, name="subscribe"),
    path("newsletter/confirm/<str:token>/", newsletter.confirm, name="confirm"),
    path("mail/unsubscribe/<str:token>/", mail.unsubscribe, name="unsubscribe"),
    path("mail/preferences/<str:token>/", mail.preferences, name="preferences"),
]
