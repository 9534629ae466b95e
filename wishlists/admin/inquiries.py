"""Customers' questions in the admin: the list, and what leads to each."""

from __future__ import annotations

from typing import Any, ClassVar, Final

from django.http import HttpRequest
from django.urls import URLPattern, path
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from wagtail.admin.menu import MenuItem
from wagtail.admin.ui.tables import Column, DateColumn, NumberColumn, StatusTagColumn, TitleColumn
from wagtail.admin.views import generic
from wagtail.admin.viewsets.model import ModelViewSet

from ..inquiries import count_open
from ..models import Inquiry
from .answering import AnswerView, CloseView, DeleteView, ReopenView, SendView

INSPECT: Final = "thankyou_wishlists_inquiry:inspect"

#: Whoever may do one thing with questions may also read them.
ANY: list[str] = ["view", "answer", "delete"]


def state_text(inquiry: Inquiry) -> str:
    """Return the state in words, and whether the answer is still to be sent."""
    if inquiry.state == Inquiry.State.ANSWERED and inquiry.mailed_at is None:
        return gettext("Answered, not sent yet")
    return str(inquiry.get_state_display())


class InquiryIndexView(generic.IndexView):
    """The questions, newest first."""

    any_permission_required: ClassVar = ANY
    page_title = _("Customer questions")
    template_name = "thankyou_wishlists/admin/inquiries.html"
    results_template_name = "thankyou_wishlists/admin/inquiries_results.html"
    default_ordering = "-created_at"


class QuestionsMenuItem(MenuItem):
    """The entry of the menu, with how many wait for an answer: one small query for those who may see it."""

    def is_shown(self, request: HttpRequest) -> bool:
        return any(request.user.has_perm(f"thankyou_wishlists.{action}_inquiry") for action in ANY)

    def render_component(self, request: HttpRequest) -> Any:
        component = super().render_component(request)
        count = count_open()
        if count:
            component.label = gettext("%(label)s (%(count)s)") % {"label": self.label, "count": count}
        return component


class InquiryViewSet(ModelViewSet):
    """Questions of customers: to read, to answer, to close and to delete. Nobody writes one here."""

    model = Inquiry
    name = "thankyou_wishlists_inquiry"
    icon = "help"
    #: Short, so that the number behind it fits in Wagtail's menu.
    menu_label = _("Questions")
    menu_name = "thankyou-questions"
    menu_order = 330
    menu_item_class = QuestionsMenuItem
    add_to_admin_menu = True
    add_to_reference_index = False
    inspect_view_enabled = True
    copy_view_enabled = False
    index_view_class = InquiryIndexView
    list_filter: ClassVar = ["state"]
    search_fields: ClassVar = ["text", "email", "name"]
    list_display: ClassVar = [
        TitleColumn("text", accessor=str, label=_("Question"), url_name=INSPECT, classname="tyl-wide"),
        Column("email", label=_("From"), sort_key="email"),
        NumberColumn("products", label=_("Products"), accessor=lambda inquiry: len(inquiry.products)),
        StatusTagColumn(
            "state",
            label=_("State"),
            accessor=state_text,
            primary=lambda inquiry: inquiry.state == Inquiry.State.OPEN,
            sort_key="state",
        ),
        DateColumn("created_at", label=_("Asked"), sort_key="created_at"),
    ]

    def get_common_view_kwargs(self, **kwargs: Any) -> dict[str, Any]:
        """Tell the views that there is nothing to link to but the list and one question."""
        absent = ("add", "edit", "delete", "history", "usage")
        common: dict[str, Any] = super().get_common_view_kwargs(**kwargs)
        return {**common, **{f"{name}_url_name": None for name in absent}}

    def get_urlpatterns(self) -> list[URLPattern]:
        return [
            path("", self.index_view, name="index"),
            path("results/", self.index_results_view, name="index_results"),
            path("inspect/<int:pk>/", self.construct_view(AnswerView), name="inspect"),
            path("close/<int:pk>/", self.construct_view(CloseView), name="close"),
            path("reopen/<int:pk>/", self.construct_view(ReopenView), name="reopen"),
            path("send/<int:pk>/", self.construct_view(SendView), name="send"),
            path("delete/<int:pk>/", self.construct_view(DeleteView), name="delete"),
        ]

    def register_admin_url_finder(self) -> None:
        """There is no edit page to find."""
