"""The menu entry "Campaigns" with everything below it."""

from __future__ import annotations

from django.utils.translation import gettext_lazy as _
from wagtail.admin.viewsets.base import ViewSetGroup

from .answers import AnswerViewSet
from .batches import BatchViewSet
from .campaigns import CampaignViewSet
from .coupons import CouponViewSet


class CampaignGroup(ViewSetGroup):
    """The menu entry "Campaigns"."""

    menu_label = _("Campaigns")
    menu_name = "thankyou-campaigns"
    menu_icon = "tag"
    menu_order = 310
    items = (CampaignViewSet, CouponViewSet, BatchViewSet, AnswerViewSet)
