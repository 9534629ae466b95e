"""A small form on a page of its own in the admin, with a way back."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.utils.translation import gettext
from django.views.generic import FormView
from wagtail.admin.views.generic.base import WagtailAdminTemplateMixin
from wagtail.admin.views.generic.permissions import PermissionCheckedMixin

if TYPE_CHECKING:
    BaseFormView = FormView[Any]
else:
    BaseFormView = FormView


class FormPage(PermissionCheckedMixin, WagtailAdminTemplateMixin, BaseFormView):
    """A small form of its own, with a way back."""

    template_name = "thankyou_coupons/admin/form.html"
    header_icon = "tag"
    submit_label: Any = ""
    is_grave = False
    explanation: Any = ""

    def get_success_url(self) -> str:
        return self.get_back_url()

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        return super().get_context_data(
            **kwargs,
            submit_label=self.submit_label,
            is_grave=self.is_grave,
            explanation=self.get_explanation(),
            back_url=self.get_back_url(),
        )

    def get_explanation(self) -> str:
        return str(self.explanation)

    def get_back_url(self) -> str:
        raise NotImplementedError

    def get_breadcrumbs_items(self) -> list[dict[str, Any]]:
        return [
            *self.breadcrumbs_items,
            {"url": self.get_back_url(), "label": self.get_back_label()},
            {"url": "", "label": self.get_page_title()},
        ]

    def get_back_label(self) -> str:
        return gettext("Coupons given out")
