"""Registers the screens of ``wishlists`` in the Wagtail admin, and what may be allowed to a group."""

from __future__ import annotations

from typing import Any

from django.contrib.auth.models import Permission
from django.db.models import QuerySet
from django.http import HttpRequest
from django.urls import URLPattern, path, reverse
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from wagtail import hooks
from wagtail.admin.menu import MenuItem
from wagtail.log_actions import LogFormatter

from .admin.answering import DELETED
from .admin.inquiries import InquiryViewSet
from .admin.report import SavedProductsView


@hooks.register("register_admin_viewset")
def register_inquiries() -> InquiryViewSet:
    """The menu entry "Customer questions"."""
    return InquiryViewSet()


@hooks.register("register_admin_urls")
def register_report_url() -> list[URLPattern]:
    """The report on saved products."""
    return [path("reports/saved-products/", SavedProductsView.as_view(), name=SavedProductsView.index_url_name)]


class SavedProductsMenuItem(MenuItem):
    """Among the reports, for those who may see it."""

    def is_shown(self, request: HttpRequest) -> bool:
        return request.user.has_perm("thankyou_wishlists.view_save")


@hooks.register("register_reports_menu_item")
def register_report_menu_item() -> MenuItem:
    """The entry "Saved products" among the reports."""
    url = reverse(SavedProductsView.index_url_name)
    return SavedProductsMenuItem(_("Saved products"), url, name="thankyou-saved", icon_name="pick", order=1350)


@hooks.register("register_permissions")
def register_report_permissions() -> QuerySet[Permission]:
    """What a group may do with the report; questions register theirs themselves."""
    codenames = ["view_save", "export_save"]
    return Permission.objects.filter(content_type__app_label="thankyou_wishlists", codename__in=codenames)


@hooks.register("register_log_actions")
def register_log_actions(actions: Any) -> None:
    """What the report "Site history" says of questions that were deleted."""

    @actions.register_action(DELETED)
    class Deleted(LogFormatter):
        label = _("Delete a customer question")

        def format_message(self, log_entry: Any) -> str:
            return gettext("Deleted a question from a customer")
