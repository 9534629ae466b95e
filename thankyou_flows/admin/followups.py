"""The owner's follow-ups: the list with its numbers, the form with a preview, and what leads from one to the other."""

from __future__ import annotations

from typing import Any, ClassVar, Final

from django.db.models import QuerySet
from django.http import HttpResponse
from django.urls import URLPattern, path, reverse
from django.utils.functional import cached_property
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from wagtail.admin import messages
from wagtail.admin.ui.side_panels import PreviewSidePanel
from wagtail.admin.ui.tables import Column, NumberColumn
from wagtail.admin.views import generic
from wagtail.admin.views.generic.preview import PreviewOnCreate, PreviewOnEdit
from wagtail.admin.viewsets.model import ModelViewSet
from wagtail.admin.widgets.button import Button, HeaderButton

from ..models import FollowUp
from . import numbers
from .followup_form import build_edit_handler, find_warnings
from .overview import FollowUpOverview
from .recipes import RecipesView
from .standstill import StandstillMixin
from .switching import SwitchView
from .testmail import TestMailView
from .words import when_in_words

NAME: Final = "thankyou_flows_followup"


def _when(follow_up: FollowUp) -> str:
    return when_in_words(follow_up.trigger, follow_up.steps.all())


class SwitchColumn(Column):
    """Whether a follow-up is on, with the switch beside it for those who may use it."""

    cell_template_name = "thankyou_flows/admin/switch_cell.html"

    def __init__(self, *args: Any, view: generic.IndexView, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.view = view

    def get_cell_context_data(self, instance: FollowUp, parent_context: Any) -> dict[str, Any]:
        to = "off" if instance.is_on else "on"
        return {
            **super().get_cell_context_data(instance, parent_context),
            "follow_up": instance,
            "switch_url": reverse(f"{NAME}:switch", args=[instance.pk, to]) if self.view.may_change else "",
        }


class FollowUpIndexView(StandstillMixin, generic.IndexView):
    """The list of follow-ups with the numbers one looks for."""

    template_name = "thankyou_flows/admin/followups.html"
    results_template_name = "thankyou_flows/admin/followups_results.html"
    default_ordering = "title"

    @cached_property
    def may_change(self) -> bool:
        return bool(self.user_has_permission("change"))

    @cached_property
    def columns(self) -> list[Any]:
        name, when, *counted = super().columns
        return [name, when, SwitchColumn("is_on", label=_("On or off"), sort_key="is_on", view=self), *counted]

    def get_base_queryset(self) -> QuerySet[FollowUp]:
        return numbers.with_counts(super().get_base_queryset()).prefetch_related("steps")

    @cached_property
    def header_buttons(self) -> list[Any]:
        buttons: list[Any] = list(super().header_buttons)
        if self.user_has_permission("add"):
            url = reverse(f"{NAME}:recipes")
            buttons.append(HeaderButton(gettext("Start from a ready-made one"), url=url, icon_name="copy"))
        return buttons

    def get_list_more_buttons(self, instance: FollowUp) -> list[Any]:
        buttons: list[Any] = super().get_list_more_buttons(instance)
        if self.may_change:
            url = reverse(f"{NAME}:test", args=[instance.pk])
            buttons.append(Button(gettext("Send me a test"), url=url, icon_name="mail", priority=15))
        return buttons

    def get_context_data(self, *args: Any, **kwargs: Any) -> dict[str, Any]:
        recipes_url = reverse(f"{NAME}:recipes") if self.user_has_permission("add") else ""
        return super().get_context_data(*args, **kwargs, recipes_url=recipes_url)


class _WithPreview:
    """A form with Wagtail's preview beside it."""

    preview_url_name = ""

    def get_preview_url(self) -> str:
        raise NotImplementedError

    def get_side_panels(self) -> Any:
        panels = super().get_side_panels()  # type: ignore[misc]
        form: Any = self.form  # type: ignore[attr-defined]
        preview = PreviewSidePanel(form.instance, self.request, preview_url=self.get_preview_url())  # type: ignore[attr-defined]
        return type(panels)([*panels, preview])

    def form_valid(self, form: Any) -> HttpResponse:
        response: HttpResponse = super().form_valid(form)  # type: ignore[misc]
        for _name, text in find_warnings(form.instance) if form.instance.pk else ():
            messages.warning(self.request, text)  # type: ignore[attr-defined]
        return response

    def get_success_url(self) -> str:
        """Stay at the form: what comes next is the preview, a test, and the switch."""
        return reverse(f"{NAME}:edit", args=[self.object.pk])  # type: ignore[attr-defined]

    def get_success_buttons(self) -> list[Any]:
        return []


class FollowUpCreateView(_WithPreview, generic.CreateView):
    """A new follow-up."""

    success_message = _("“%(object)s” is saved. It is off: look at it, send yourself a test, then switch it on.")

    def get_preview_url(self) -> str:
        return reverse(self.preview_url_name)


class FollowUpEditView(_WithPreview, generic.EditView):
    """A follow-up as it is."""

    def get_preview_url(self) -> str:
        return reverse(self.preview_url_name, args=[self.object.pk])

    @cached_property
    def header_buttons(self) -> list[Any]:
        follow_up: FollowUp = self.object
        switch = (gettext("Switch off"), "off", "cross") if follow_up.is_on else (gettext("Switch on"), "on", "check")
        label, to, icon = switch
        return [
            *super().header_buttons,
            HeaderButton(label, url=reverse(f"{NAME}:switch", args=[follow_up.pk, to]), icon_name=icon),
            HeaderButton(gettext("Send me a test"), url=reverse(f"{NAME}:test", args=[follow_up.pk]), icon_name="mail"),
        ]

    def get_success_message(self) -> str:
        if self.object.is_on:
            return gettext("“%(title)s” is saved. Mails that are already planned will have the new text.") % {
                "title": self.object
            }
        return gettext("“%(title)s” is saved. It is off.") % {"title": self.object}


class FollowUpDeleteView(generic.DeleteView):
    """Deleting one: what is planned is not sent, what was sent stays among the messages."""

    @property
    def confirmation_message(self) -> str:
        return gettext("Delete “%(title)s”? Mails that are still planned will not be sent. Those sent stay listed.") % {
            "title": self.object
        }


class FollowUpViewSet(ModelViewSet):
    """Follow-ups: list, form with preview, numbers, the switch, a test mail, and ready-made ones to start from."""

    model = FollowUp
    name = NAME
    icon = "mail"
    menu_label = _("Follow-ups")
    add_to_reference_index = True
    copy_view_enabled = False
    inspect_view_enabled = True
    index_view_class = FollowUpIndexView
    add_view_class = FollowUpCreateView
    edit_view_class = FollowUpEditView
    delete_view_class = FollowUpDeleteView
    inspect_view_class = FollowUpOverview
    list_filter: ClassVar = ["is_on", "trigger", "kind"]
    search_fields: ClassVar = ["title"]
    list_display: ClassVar = [
        "title",
        Column("when", label=_("When"), accessor=_when),
        NumberColumn("planned_count", label=_("Planned"), sort_key="planned_count"),
        NumberColumn("sent_count", label=_("Sent"), sort_key="sent_count"),
        NumberColumn("delivered_count", label=_("Delivered")),
        NumberColumn("converted_count", label=_("Ordered after it")),
        NumberColumn("left_count", label=_("Left by it")),
    ]
    edit_handler = build_edit_handler()

    def get_add_view_kwargs(self, **kwargs: Any) -> dict[str, Any]:
        return super().get_add_view_kwargs(preview_url_name=self.get_url_name("preview_on_add"), **kwargs)

    def get_edit_view_kwargs(self, **kwargs: Any) -> dict[str, Any]:
        return super().get_edit_view_kwargs(preview_url_name=self.get_url_name("preview_on_edit"), **kwargs)

    def get_urlpatterns(self) -> list[URLPattern]:
        form_class = self.get_form_class(for_update=True)
        return [
            *super().get_urlpatterns(),
            path("recipes/", self.construct_view(RecipesView), name="recipes"),
            path("preview/", self.construct_view(PreviewOnCreate, form_class=form_class), name="preview_on_add"),
            path(
                "preview/<int:pk>/", self.construct_view(PreviewOnEdit, form_class=form_class), name="preview_on_edit"
            ),
            path("switch/<int:pk>/<str:to>/", self.construct_view(SwitchView), name="switch"),
            path("test/<int:pk>/", self.construct_view(TestMailView), name="test"),
        ]
