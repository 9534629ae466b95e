"""The outbox as staff see it: what was planned and why, what became of it, and what the customer saw."""

from __future__ import annotations

from typing import Any, ClassVar, Final

import django_filters  # type: ignore[import-untyped]
from django import forms
from django.db.models import Q, QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404
from django.urls import URLPattern, path, reverse
from django.utils.functional import cached_property
from django.utils.translation import gettext, ngettext
from django.utils.translation import gettext_lazy as _
from django.views import View
from wagtail.admin import messages
from wagtail.admin.filters import DateRangePickerWidget
from wagtail.admin.ui.tables import Column, DateColumn, StatusTagColumn, TitleColumn
from wagtail.admin.views import generic
from wagtail.admin.views.generic.permissions import PermissionCheckedMixin
from wagtail.admin.widgets.button import HeaderButton
from wagtail.log_actions import log

from coupons.admin.columns import MomentColumn
from coupons.admin.formpage import FormPage
from coupons.admin.readonly import ReadOnlyViewSet

from ..conf import app_settings
from ..models import FollowUp, Message, WhyNot
from . import timeline
from .finding import OnePersonFilterSet, OnePersonMixin, OnePersonViewSetMixin
from .preview import show_mail
from .standstill import StandstillMixin
from .words import about_in_words, reason_in_words

NAME: Final = "thankyou_flows_message"
#: What the log of the site calls it.
REQUEUED: Final = "thankyou_flows.requeue_message"
STOPPED: Final = "thankyou_flows.stop_message"
#: So many are planned again at once; the button can be pressed again.
AT_ONCE: Final = 500
#: What can be planned again by hand.
AGAIN: Final = (Message.State.FAILED, Message.State.SKIPPED)
#: Not read for a list: may be long.
LONG: Final = ("text", "html", "context")


class MessageFilterSet(OnePersonFilterSet):
    """By state, follow-up, why not, what the provider says, and when it was or is due."""

    follow_up = django_filters.ModelChoiceFilter(queryset=FollowUp.objects.all(), label=_("Follow-up"))
    why_not = django_filters.ChoiceFilter(choices=WhyNot.choices, label=_("Why not"))
    delivery = django_filters.ChoiceFilter(
        choices=[choice for choice in Message.Delivery.choices if choice[0]], label=_("Delivery")
    )
    due_at = django_filters.DateFromToRangeFilter(label=_("Due"), widget=DateRangePickerWidget)

    class Meta:
        model = Message
        fields: ClassVar = ["state", "follow_up", "why_not", "delivery", "due_at"]


def find_messages(queryset: QuerySet[Message], text: str) -> QuerySet[Message]:
    """Return the messages about an order, or with these words in the subject. Addresses are looked for by ``finding``."""
    text = text.strip()
    return queryset.filter(Q(ref=text) | Q(converted_order=text) | Q(subject__icontains=text))


def _outcome(message: Message) -> str:
    """Return what has become of it: why not, or what the provider says."""
    if message.why_not:
        return str(message.get_why_not_display())
    return str(message.get_delivery_display()) if message.delivery else ""


def why_planned(message: Message) -> str:
    """Return why a message was planned and what it is about, in a line."""
    about = about_in_words(message)
    return f"{reason_in_words(message)} · {about}" if about else reason_in_words(message)


class MessageIndexView(StandstillMixin, OnePersonMixin, generic.IndexView):
    """The messages, newest first."""

    template_name = "thankyou_flows/admin/one_person.html"
    one_person_title = _("Mails to one person")
    results_template_name = "thankyou_flows/admin/messages_results.html"
    default_ordering = "-pk"

    def get_base_queryset(self) -> QuerySet[Message]:
        queryset: QuerySet[Message] = super().get_base_queryset()
        return queryset.select_related("follow_up").defer(*LONG)

    def search_queryset(self, queryset: QuerySet[Message]) -> QuerySet[Message]:
        return find_messages(queryset, self.search_query) if self.is_searching else queryset

    def get_search_form(self) -> Any:
        form = super().get_search_form()
        if form is not None:
            form.fields["q"].widget.attrs["placeholder"] = gettext("Order or subject")
        return form

    @cached_property
    def header_buttons(self) -> list[Any]:
        buttons: list[Any] = list(super().header_buttons)
        if self.request.user.has_perm("thankyou_flows.requeue_message"):
            url = reverse(f"{NAME}:requeue_failed")
            buttons.append(HeaderButton(gettext("Send failed ones again"), url=url, icon_name="rotate"))
        return buttons


class MessageView(generic.InspectView):
    """One message: why it was planned, what happened to it, on which ground, and what the customer saw."""

    template_name = "thankyou_flows/admin/message.html"
    page_title = _("Message")

    def get_object(self, queryset: Any = None) -> Message:
        related = Message.objects.select_related("follow_up", "mailing_list", "coupon")
        return get_object_or_404(related, pk=self.pk)

    def get_fields(self) -> list[str]:
        """The page has a template of its own."""
        return []

    def get_page_subtitle(self) -> str:
        return self.object.subject or reason_in_words(self.object)

    def get_breadcrumbs_items(self) -> list[dict[str, Any]]:
        return [
            *self.breadcrumbs_items,
            {"url": reverse(self.index_url_name), "label": gettext("Messages")},
            {"url": "", "label": self.get_page_subtitle()},
        ]

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        message: Message = self.object
        user = self.request.user
        may_requeue = user.has_perm("thankyou_flows.requeue_message")
        return super().get_context_data(
            **kwargs,
            message=message,
            state=message.get_state_display(),
            facts=timeline.facts_of(message, links=self._links()),
            steps=timeline.steps_of(message, counts_clicks=app_settings.count_clicks),
            events=list(message.events.all()),
            requeue_url=reverse(f"{NAME}:requeue", args=[message.pk]) if may_requeue and message.state in AGAIN else "",
            stop_url=reverse(f"{NAME}:stop", args=[message.pk]) if may_requeue and message.is_open else "",
            html_url=reverse(f"{NAME}:html", args=[message.pk]) if message.html else "",
        )

    def _links(self) -> dict[str, str]:
        """Return where the facts lead to, for somebody who may go there."""
        message, user = self.object, self.request.user
        links: dict[str, str] = {}
        if message.follow_up_id and any(
            user.has_perm(f"thankyou_flows.{action}_followup") for action in ("view", "change", "add", "delete")
        ):
            links["follow_up"] = reverse("thankyou_flows_followup:inspect", args=[message.follow_up_id])
        if message.coupon_id and user.has_perm("thankyou_coupons.view_coupon"):
            links["coupon"] = reverse("thankyou_coupons_coupon:inspect", args=[message.coupon_id])
        return links


class MessageHtmlView(PermissionCheckedMixin, View):
    """The HTML that the customer saw, for a frame: it runs nothing, and asks nobody but the shop for pictures."""

    model = Message
    permission_required = "view"
    http_method_names = ["get", "head"]

    def get(self, request: HttpRequest, pk: int) -> HttpResponse:
        message = get_object_or_404(Message.objects.only("html"), pk=pk)
        response: HttpResponse = show_mail(request, message.html)
        return response


class RequeueView(PermissionCheckedMixin, View):
    """Plans a message again that was not sent."""

    model = Message
    permission_required = "requeue"
    http_method_names = ["post"]

    def post(self, request: HttpRequest, pk: int) -> HttpResponse:
        from ..mail.outbox import requeue

        message = get_object_or_404(Message, pk=pk)
        if requeue(message=message):
            log(instance=message, action=REQUEUED, user=request.user)
            messages.success(request, gettext("It is planned again. Whether it may be sent is asked again as ever."))
        else:
            messages.warning(request, gettext("It is sent, or about to be: there is nothing to send again."))
        return redirect_back(request, pk)


class StopView(PermissionCheckedMixin, View):
    """Stops a message that is not sent yet."""

    model = Message
    permission_required = "requeue"
    http_method_names = ["post"]

    def post(self, request: HttpRequest, pk: int) -> HttpResponse:
        from ..mail.outbox import stop

        message = get_object_or_404(Message, pk=pk)
        if stop(messages=Message.objects.filter(pk=pk), why=WhyNot.BY_HAND):
            log(instance=message, action=STOPPED, user=request.user)
            messages.success(request, gettext("It is stopped, and will not be sent."))
        else:
            messages.warning(request, gettext("It could not be stopped any more."))
        return redirect_back(request, pk)


def redirect_back(request: HttpRequest, pk: int) -> HttpResponse:
    """Lead to the message, or home if this person may act but not read."""
    if request.user.has_perm("thankyou_flows.view_message"):
        return HttpResponseRedirect(reverse(f"{NAME}:inspect", args=[pk]))
    return HttpResponseRedirect(reverse("wagtailadmin_home"))


class RequeueFailedView(FormPage):
    """Plans failed messages again, after a question: those of the last days, the oldest first."""

    model = Message
    permission_required = "requeue"
    form_class = forms.Form
    header_icon = "rotate"
    page_title = _("Send failed messages again")
    submit_label = _("Yes, send them again")

    @cached_property
    def failed(self) -> QuerySet[Message]:
        # One of which nobody knows whether it arrived is asked about one by one.
        return Message.objects.filter(state=Message.State.FAILED).exclude(why_not=WhyNot.UNCERTAIN).order_by("pk")

    def get_explanation(self) -> str:
        count = self.failed.count()
        if not count:
            return gettext("Nothing has failed, so there is nothing to send again.")
        said = ngettext("One message has failed.", "%(count)s messages have failed.", count) % {"count": count}
        more = gettext(
            "Each is planned again with fresh attempts, and whether it may be sent is asked again as ever. "
            "Look first whether what made them fail is mended."
        )
        if count > AT_ONCE:
            more += " " + gettext("%(count)s are planned again now; come back for the rest.") % {"count": AT_ONCE}
        return f"{said} {more}"

    def get_back_url(self) -> str:
        if self.request.user.has_perm("thankyou_flows.view_message"):
            return reverse(f"{NAME}:index")
        return reverse("wagtailadmin_home")

    def get_back_label(self) -> str:
        return gettext("Messages")

    def form_valid(self, form: forms.Form) -> HttpResponse:
        from ..mail.outbox import requeue

        done = 0
        for message in list(self.failed.defer(*LONG)[:AT_ONCE]):
            if requeue(message=message):
                log(instance=message, action=REQUEUED, user=self.request.user)
                done += 1
        text = ngettext("One message is planned again.", "%(count)s messages are planned again.", done)
        messages.success(self.request, text % {"count": done})
        return HttpResponseRedirect(self.get_back_url())


class MessageViewSet(OnePersonViewSetMixin, ReadOnlyViewSet):
    """The outbox: to read, to send again, and to stop. Nobody writes or changes a message here."""

    model = Message
    name = NAME
    icon = "mail"
    menu_label = _("Messages")
    index_view_class = MessageIndexView
    inspect_view_class = MessageView
    filterset_class = MessageFilterSet
    search_fields: ClassVar = ["subject"]
    list_display: ClassVar = [
        TitleColumn(
            "subject",
            label=_("Subject"),
            accessor=lambda message: message.subject or reason_in_words(message),
            url_name=f"{NAME}:inspect",
        ),
        Column("email", label=_("To"), accessor=lambda message: message.email or _("Erased")),
        StatusTagColumn(
            "state",
            label=_("State"),
            accessor="get_state_display",
            primary=lambda message: message.state == Message.State.SENT,
            sort_key="state",
        ),
        Column("outcome", label=_("What became of it"), accessor=_outcome),
        Column("why", label=_("Why planned"), accessor=why_planned),
        MomentColumn("due_at", label=_("Due"), sort_key="due_at"),
        DateColumn("sent_at", label=_("Sent"), sort_key="sent_at"),
    ]

    def get_urlpatterns(self) -> list[URLPattern]:
        return [
            *super().get_urlpatterns(),
            path("html/<int:pk>/", self.construct_view(MessageHtmlView), name="html"),
            path("requeue/<int:pk>/", self.construct_view(RequeueView), name="requeue"),
            path("stop/<int:pk>/", self.construct_view(StopView), name="stop"),
            path("requeue/", self.construct_view(RequeueFailedView), name="requeue_failed"),
        ]
