"""What this app registers with Wagtail; the screens themselves are elsewhere."""

from __future__ import annotations

from wagtail import hooks

from .choosers import CampaignChooserViewSet, campaign_chooser_viewset
from .viewsets import SubscriptionViewSet


@hooks.register("register_admin_viewset")
def register_campaign_chooser() -> CampaignChooserViewSet:
    return campaign_chooser_viewset


@hooks.register("register_admin_viewset")
def register_subscriptions() -> SubscriptionViewSet:
    return SubscriptionViewSet()
