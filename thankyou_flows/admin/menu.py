"""The menu entry "Mail" with everything below it."""

from __future__ import annotations

from django.utils.translation import gettext_lazy as _
from wagtail.admin.viewsets.base import ViewSetGroup

from .followups import FollowUpViewSet
from .lists import MailingListViewSet, SubscriptionViewSet
from .messages import MessageViewSet
from .people import PeopleViewSet
from .suppressions import SuppressionViewSet


class MailGroup(ViewSetGroup):
    """The menu entry "Mail"."""

    menu_label = _("Mail")
    menu_name = "thankyou-mail"
    menu_icon = "mail"
    menu_order = 320
    items = (
        FollowUpViewSet,
        MessageViewSet,
        SubscriptionViewSet,
        MailingListViewSet,
        SuppressionViewSet,
        PeopleViewSet,
    )
