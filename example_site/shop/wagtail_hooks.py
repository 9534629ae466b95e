"""What the shop registers with Wagtail; the screens are in ``viewsets.py``."""

from __future__ import annotations

from wagtail import hooks

from .viewsets import ShopGroup


@hooks.register("register_admin_viewset")
def register_shop() -> ShopGroup:
    return ShopGroup()
