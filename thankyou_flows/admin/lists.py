"""Mailing lists, and who asked to be on them: the screens of the menu group "Mail"."""

from __future__ import annotations

from typing import Any, ClassVar

from django import forms
from django.db.models import Count, ProtectedError, Q, QuerySet
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import get_object_or_404, redirect
from django.urls import URLPattern, path, reverse
from django.utils.functional import cached_property
from django.utils.html import format_html_join
from django.utils.safestring import SafeString
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from wagtail.admin import messages
from wagtail.admin.forms import WagtailAdminModelForm
from wagtail.admin.ui.tables import BooleanColumn, Column, DateColumn, TitleColumn
from wagtail.admin.views import generic
from wagtail.admin.viewsets.model import ModelViewSet
from wagtail.admin.widgets.button import Button

from coupons.admin.readonly import ReadOnlyViewSet
from coupons.spreadsheets import as_spreadsheet_text

from ..choosers import campaign_chooser_viewset
from ..models import ConsentReceipt, MailingList, Subscription
from ..newsletter.receipts import export_receipts
from ..texts import format_deadline_in_full
from .finding import OnePersonFilterSet, OnePersonMixin, OnePersonViewSetMixin


class MailingListForm(WagtailAdminModelForm):
    """A list. Its short name is fixed once it is there: it stands in the suppressions of those who left (EM-6)."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if self.instance.pk:
            self.fields["slug"].disabled = True
            self.fields["slug"].help_text = _("It stays as it is: who has left the list is remembered by it.")

    class Meta:
        model = MailingList
        fields = ("title", "slug", "purpose", "promise", "covers_follow_ups", "incentive", "is_open")
        widgets: ClassVar = {
            "purpose": forms.Textarea(attrs={"rows": 2}),
            "incentive": campaign_chooser_viewset.widget_class,
        }


class MailingListIndexView(generic.IndexView):
    """The lists with how many people are on each."""

    def get_base_queryset(self) -> QuerySet[MailingList]:
        queryset: QuerySet[MailingList] = super().get_base_queryset()
        states = Subscription.State
        return queryset.annotate(
            confirmed=Count("subscriptions", filter=Q(subscriptions__state=states.CONFIRMED)),
            waiting=Count("subscriptions", filter=Q(subscriptions__state=states.PENDING)),
        )


class MailingListDeleteView(generic.DeleteView):
    """Deleting is for lists that nobody has signed up for: what people agreed to has to be kept (EM-4)."""

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        if self.user_has_permission("delete") and self.object.subscriptions.exists():
            return self._refuse()
        response: HttpResponse = super().dispatch(request, *args, **kwargs)
        return response

    def form_valid(self, form: Any) -> HttpResponse:
        try:
            response: HttpResponse = super().form_valid(form)
        except ProtectedError:
            # Somebody has signed up since the question was asked.
            return self._refuse()
        return response

    def _refuse(self) -> HttpResponse:
        text = gettext(
            "People have signed up for “%(title)s”, and what they agreed to has to be kept, so it cannot be deleted. "
            "Untick “people can sign up” instead: then it takes nobody new."
        )
        messages.error(self.request, text % {"title": self.object})
        return redirect(self.index_url_name)


class MailingListViewSet(ModelViewSet):
    """The lists that people can be on."""

    model = MailingList
    name = "thankyou_flows_mailing_list"
    icon = "list-ul"
    menu_label = _("Lists")
    menu_name = "thankyou-lists"
    menu_order = 10
    index_view_class = MailingListIndexView
    delete_view_class = MailingListDeleteView
    copy_view_enabled = False
    add_to_reference_index = False
    search_fields: ClassVar = ["title", "slug"]
    list_display: ClassVar = [
        TitleColumn("title", label=_("Name"), sort_key="title", get_url=lambda row: _edit_url(row)),
        Column("slug", label=_("Short name")),
        Column("promise", label=_("What you promise")),
        Column("confirmed", label=_("On it"), sort_key="confirmed"),
        Column("waiting", label=_("Waiting for confirmation")),
        BooleanColumn("is_open", label=_("People can sign up")),
    ]

    def get_form_class(self, for_update: bool = False) -> type[forms.ModelForm[Any]]:
        return MailingListForm


class SubscriptionFilterSet(OnePersonFilterSet):
    """By person, state and list."""

    class Meta:
        model = Subscription
        fields: ClassVar = ["state", "mailing_list"]


class SubscriptionIndexView(OnePersonMixin, generic.IndexView):
    """The list of sign-ups, and its export for the tool that sends the letters."""

    template_name = "thankyou_flows/admin/one_person.html"
    results_template_name = "thankyou_flows/admin/subscriptions_results.html"
    one_person_title = _("Sign-ups of one person")

    custom_field_preprocess: ClassVar[dict[str, Any]] = {
        "email": {"csv": as_spreadsheet_text, "xlsx": as_spreadsheet_text},
    }

    def get_base_queryset(self) -> QuerySet[Subscription]:
        queryset: QuerySet[Subscription] = super().get_base_queryset()
        return queryset.select_related("mailing_list")


class SubscriptionInspectView(generic.InspectView):
    """One sign-up with its receipts: what was agreed to, word by word (EM-4)."""

    receipts_url_name = ""

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        context: dict[str, Any] = super().get_context_data(**kwargs)
        receipts = [
            {"label": receipt.get_kind_display(), "value": describe_receipt(receipt)}
            for receipt in self.object.receipts.all()
        ]
        return {**context, "fields": [*context["fields"], *receipts]}

    @cached_property
    def header_more_buttons(self) -> list[Button]:
        buttons: list[Button] = super().header_more_buttons
        url = reverse(self.receipts_url_name, args=[self.object.pk])
        return [*buttons, Button(_("Download what was agreed"), url=url, icon_name="download", priority=30)]


class SubscriptionReceiptsView(generic.InspectView):
    """The receipts of this person, of all lists, as a file (EM-4)."""

    def get(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        subscription = get_object_or_404(Subscription, pk=self.pk)
        receipts = export_receipts(email_key=subscription.email_key)
        response = JsonResponse(receipts, safe=False, json_dumps_params={"ensure_ascii": False, "indent": 2})
        response.headers["Content-Disposition"] = f'attachment; filename="consent-{subscription.pk}.json"'
        response.headers["Cache-Control"] = "private, no-store"
        return response


class SubscriptionViewSet(OnePersonViewSetMixin, ReadOnlyViewSet):
    """Newsletter sign-ups. Only the confirmed ones may be written to (EM-1)."""

    model = Subscription
    name = "thankyou_flows_subscription"
    icon = "mail"
    menu_label = _("Newsletter sign-ups")
    menu_name = "thankyou-subscriptions"
    menu_order = 20
    index_view_class = SubscriptionIndexView
    inspect_view_class = SubscriptionInspectView
    receipts_view_class = SubscriptionReceiptsView
    filterset_class = SubscriptionFilterSet
    list_display: ClassVar = [
        Column("email", label=_("E-mail"), sort_key="email"),
        Column("get_state_display", label=_("State"), sort_key="state"),
        Column("mailing_list", label=_("List")),
        DateColumn("requested_at", label=_("Asked"), sort_key="requested_at"),
        DateColumn("confirmed_at", label=_("Confirmed"), sort_key="confirmed_at"),
    ]
    list_export: ClassVar = ["email", "state", "mailing_list", "language", "requested_at", "confirmed_at", "left_at"]
    export_filename = "newsletter"
    inspect_view_fields: ClassVar = [
        "email",
        "state",
        "mailing_list",
        "language",
        "requested_at",
        "confirmed_at",
        "left_at",
    ]

    def get_inspect_view_kwargs(self, **kwargs: Any) -> dict[str, Any]:
        return {**super().get_inspect_view_kwargs(**kwargs), "receipts_url_name": self.get_url_name("receipts")}

    @property
    def receipts_view(self) -> Any:
        return self.construct_view(self.receipts_view_class, **super().get_inspect_view_kwargs())

    def get_urlpatterns(self) -> list[URLPattern]:
        return [*super().get_urlpatterns(), path("receipts/<int:pk>/", self.receipts_view, name="receipts")]


def describe_receipt(receipt: ConsentReceipt) -> SafeString:
    """Return a receipt for the shop's people, a line for each thing it proves."""
    lines = [
        format_deadline_in_full(receipt.created_at),
        receipt.get_method_display(),
        receipt.purpose,
        *(f"“{line}”" for line in receipt.wording.splitlines()),
        *(text for text in (receipt.source, receipt.path, receipt.language, receipt.ip) if text),
    ]
    return format_html_join("", "<div>{}</div>", [(line,) for line in lines if line])


def _edit_url(mailing_list: Any) -> str:
    return reverse("thankyou_flows_mailing_list:edit", args=[mailing_list.pk])
