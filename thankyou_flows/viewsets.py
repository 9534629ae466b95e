"""The owner's screens: who asked for a newsletter."""

from __future__ import annotations

from typing import Any, ClassVar

from django.utils.translation import gettext_lazy as _
from wagtail.admin.ui.tables import Column, DateColumn
from wagtail.admin.views import generic

from coupons.admin.readonly import ReadOnlyViewSet
from coupons.spreadsheets import as_spreadsheet_text

from .models import Subscription


class SubscriptionIndexView(generic.IndexView):
    """The list of sign-ups, and its export for the tool that sends the letters."""

    custom_field_preprocess: ClassVar[dict[str, Any]] = {
        "email": {"csv": as_spreadsheet_text, "xlsx": as_spreadsheet_text},
    }


class SubscriptionViewSet(ReadOnlyViewSet):
    """Newsletter sign-ups. Only the confirmed ones may be written to (EM-1)."""

    model = Subscription
    name = "thankyou_flows_subscription"
    icon = "mail"
    menu_label = _("Newsletter sign-ups")
    menu_name = "thankyou-subscriptions"
    menu_order = 320
    add_to_admin_menu = True
    index_view_class = SubscriptionIndexView
    list_filter: ClassVar = ["state", "mailing_list"]
    search_fields: ClassVar = ["email"]
    list_display: ClassVar = [
        Column("email", label=_("E-mail"), sort_key="email"),
        Column("get_state_display", label=_("State"), sort_key="state"),
        Column("mailing_list", label=_("List")),
        DateColumn("requested_at", label=_("Asked"), sort_key="requested_at"),
        DateColumn("confirmed_at", label=_("Confirmed"), sort_key="confirmed_at"),
    ]
    list_export: ClassVar = ["email", "state", "mailing_list", "language", "requested_at", "confirmed_at"]
    export_filename = "newsletter"
    inspect_view_fields: ClassVar = ["email", "state", "mailing_list", "language", "requested_at", "confirmed_at"]
