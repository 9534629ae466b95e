"""Addresses of the lists: ``path("", include("wishlists.urls"))``, or below a prefix of the shop's choice."""

from __future__ import annotations

from django.urls import path, register_converter
from django.urls.converters import StringConverter

from .models.keys import KEY_LENGTH
from .views import api, cart, compare, device, export, inquiries, merge, recent, saved, sharing, state, wish, wish_items

app_name = "thankyou_wishlists"


class KeyConverter(StringConverter):
    """A key of a list or a link: 128 random bits, written for addresses (SL-3)."""

    regex = f"[A-Za-z0-9_-]{{{KEY_LENGTH}}}"


register_converter(KeyConverter, "list_key")

urlpatterns = [
    path("cart/", cart.cart, name="cart"),
    path("cart/add/", cart.cart_add, name="cart_add"),
    path("cart/change/", cart.cart_change, name="cart_change"),
    path("cart/save/", saved.cart_save, name="cart_save"),
    path("saved/", saved.saved, name="saved"),
    path("saved/add/", saved.saved_add, name="saved_add"),
    path("saved/change/", saved.saved_change, name="saved_change"),
    path("saved/move/", saved.saved_move, name="saved_move"),
    path("lists/state/", state.state, name="state"),
    path("lists/device/", device.device, name="device"),
    path("lists/left/", device.left, name="left"),
    path("compare/", compare.compare, name="compare"),
    path("compare/change/", compare.compare_change, name="compare_change"),
    path("compare/sheet/", compare.compare_sheet, name="compare_sheet"),
    path("recent/", recent.recent, name="recent"),
    path("recent/change/", recent.recent_change, name="recent_change"),
    path("saved/export/", export.saved_export, name="saved_export"),
    path("lists/", wish.lists, name="lists"),
    path("lists/new/", wish.list_new, name="list_new"),
    path("lists/choose/", wish_items.list_choose, name="list_choose"),
    path("lists/<list_key:key>/", wish.wish_list, name="list"),
    path("lists/<list_key:key>/edit/", wish.list_edit, name="list_edit"),
    path("lists/<list_key:key>/delete/", wish.list_delete, name="list_delete"),
    path("lists/<list_key:key>/items/", wish_items.list_items, name="list_items"),
    path("lists/<list_key:key>/share/", sharing.list_share, name="list_share"),
    # Any text: a malformed key gets the same answer as a revoked one (SL-4).
    path("shared/<str:key>/", sharing.shared, name="shared"),
    path("shared/<str:key>/gift/", sharing.shared_gift, name="shared_gift"),
    path("lists/<list_key:key>/export/", export.list_export, name="list_export"),
    path("lists/merge/", merge.merge, name="merge"),
    path("lists/merge/<list_key:key>/", merge.receipt, name="receipt"),
    path("lists/merge/<list_key:key>/undo/", merge.merge_undo, name="merge_undo"),
    path("lists/ask/", inquiries.ask, name="ask"),
    path("lists/ask/sent/", inquiries.ask_sent, name="ask_sent"),
    path("lists/api/", api.api, name="api"),
    path("lists/api/wish/", api.api_wish_lists, name="api_wish_lists"),
    path("lists/api/wish/<list_key:key>/", api.api_wish_list, name="api_wish_list"),
    # Any text, as below shared/.
    path("lists/api/shared/<str:key>/", api.api_shared, name="api_shared"),
    path("lists/api/<str:kind>/", api.api_list, name="api_list"),
]
