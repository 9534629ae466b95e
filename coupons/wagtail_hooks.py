"""Registers the screens of ``coupons`` in the Wagtail admin."""

from __future__ import annotations

from wagtail import hooks

from .viewsets import CampaignGroup


@hooks.register("register_admin_viewset")
def register_campaigns() -> CampaignGroup:
    """The menu entry "Campaigns" with everything below it."""
    return CampaignGroup()
