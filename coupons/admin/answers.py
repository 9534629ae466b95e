"""What customers told the shop: to read, to export, and to erase when they ask (CO-9)."""

from __future__ import annotations

from typing import Any, ClassVar, Final

import django_filters  # type: ignore[import-untyped]
from django import forms
from django.db.models import Max, QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404
from django.urls import URLPattern, path, reverse
from django.utils import timezone
from django.utils.functional import cached_property
from django.utils.translation import gettext, ngettext
from django.utils.translation import gettext_lazy as _
from wagtail.admin import messages
from wagtail.admin.filters import WagtailFilterSet
from wagtail.admin.ui.tables import Column, DateColumn, TitleColumn
from wagtail.admin.views import generic
from wagtail.admin.widgets.button import HeaderButton
from wagtail.log_actions import log

from .. import events
from ..answering import erase_customer, export_answers
from ..models import Answer, Campaign
from ..models.questions import AnswerQuerySet
from ..spreadsheets import as_csv, as_download
from .columns import MomentColumn
from .coupon_forms import EraseForm
from .formpage import FormPage
from .life import masked_holder
from .readonly import ReadOnlyViewSet

#: What the log of the site calls it.
EXPORTED: Final = "thankyou_coupons.export_answers"
ERASED: Final = "thankyou_coupons.erase_answers"


def shown_answers(text: str = "") -> AnswerQuerySet:
    """Return the answers that staff may still read, those whose question has ``text`` in it if there is any."""
    current = Answer.objects.current(now=timezone.now())
    return current.filter(label__icontains=text) if text else current


def _question_choices() -> list[tuple[str, str]]:
    """Return each question once, with the words it was asked in last."""
    latest = shown_answers().order_by().values("question_name").annotate(last=Max("pk")).values("last")
    labels = Answer.objects.filter(pk__in=latest).values_list("question_name", "label")
    return sorted(labels, key=lambda choice: choice[1].casefold())


class AnswerFilterSet(WagtailFilterSet):
    """By campaign, and by question."""

    campaign = django_filters.ModelChoiceFilter(
        queryset=Campaign.objects.filter(answers__isnull=False).distinct(), label=_("Campaign")
    )
    question_name = django_filters.ChoiceFilter(choices=_question_choices, label=_("Question"))

    class Meta:
        model = Answer
        fields: ClassVar = ["campaign", "question_name"]


class AnswerIndexView(generic.IndexView):
    """The list of answers, newest first. One whose time is over is not shown, also before the clean-up has come."""

    def get_base_queryset(self) -> QuerySet[Answer]:
        return shown_answers().select_related("campaign")

    def search_queryset(self, queryset: QuerySet[Answer]) -> QuerySet[Answer]:
        """Search as the export does, which gets the text by the address."""
        return queryset.filter(pk__in=shown_answers(self.search_query)) if self.is_searching else queryset

    @cached_property
    def header_buttons(self) -> list[Any]:
        buttons: list[Any] = list(super().header_buttons)
        query = self.request.GET.urlencode()
        url = reverse("thankyou_coupons_answer:export") + (f"?{query}" if query else "")
        buttons.append(HeaderButton(gettext("Export as CSV"), url=url, icon_name="download"))
        if self.request.user.has_perm("thankyou_coupons.delete_answer"):
            url = reverse("thankyou_coupons_answer:erase")
            buttons.append(HeaderButton(gettext("Erase a customer’s answers"), url=url, icon_name="bin"))
        return buttons


class AnswerView(generic.InspectView):
    """One answer, as long as its time is not over."""

    def get(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        # Asked here, behind the question whether this person may read answers at all.
        get_object_or_404(shown_answers(), pk=self.object.pk)
        response: HttpResponse = super().get(request, *args, **kwargs)
        return response


class ExportView(FormPage):
    """The answers that the list shows, as CSV that a spreadsheet does not run (CM-5). Who took them, and how many, is
    written down; hence a POST.
    """

    model = Answer
    permission_required = "view"
    form_class = forms.Form
    header_icon = "download"
    page_title = _("Export answers")
    submit_label = _("Download as CSV")

    @cached_property
    def answers(self) -> AnswerQuerySet:
        """What the list shows with the search and the filters of the address; what is neither leaves nothing out."""
        found = shown_answers(self.request.GET.get("q", "").strip())
        filtered: AnswerQuerySet = AnswerFilterSet(self.request.GET, queryset=found, request=self.request).qs
        return filtered

    def get_explanation(self) -> str:
        count = self.answers.count()
        said = ngettext("The file has one answer.", "The file has %(count)s answers.", count) % {"count": count}
        more = gettext(
            "They are personal data: keep the file no longer than the answers themselves, and delete it then. "
            "It is written down that you took it."
        )
        return f"{said} {more}"

    def get_back_url(self) -> str:
        return reverse("thankyou_coupons_answer:index")

    def get_back_label(self) -> str:
        return gettext("Answers")

    def form_valid(self, form: forms.Form) -> Any:
        filters = self.request.GET.urlencode()[:200]
        data = {"count": self.answers.count(), "filters": filters}
        log(instance=self.request.user, action=EXPORTED, user=self.request.user, data=data)
        return as_download(as_csv(export_answers(self.answers)), name="answers")


class EraseView(FormPage):
    """Deletes the answers of one customer, as far as an address leads to them (GDPR art. 17)."""

    model = Answer
    permission_required = "delete"
    form_class = EraseForm
    header_icon = "bin"
    page_title = _("Erase a customer’s answers")
    submit_label = _("Yes, erase them")
    is_grave = True

    def get_back_url(self) -> str:
        if self.request.user.has_perm("thankyou_coupons.view_answer"):
            return reverse("thankyou_coupons_answer:index")
        return reverse("wagtailadmin_home")

    def get_back_label(self) -> str:
        return gettext("Answers")

    def form_valid(self, form: EraseForm) -> HttpResponse:
        count = erase_customer(email=form.cleaned_data["email"], actor=events.actor_of(self.request.user))
        if count:
            log(instance=self.request.user, action=ERASED, user=self.request.user, data={"count": count})
            said = ngettext("One answer is erased.", "%(count)s answers are erased.", count) % {"count": count}
            messages.success(self.request, said)
        else:
            messages.warning(self.request, gettext("No answers were found by this address."))
        return HttpResponseRedirect(self.get_back_url())


class AnswerViewSet(ReadOnlyViewSet):
    """Answers, to look at, to export and to erase."""

    model = Answer
    name = "thankyou_coupons_answer"
    icon = "openquote"
    menu_label = _("Answers")
    index_view_class = AnswerIndexView
    inspect_view_class = AnswerView
    filterset_class = AnswerFilterSet
    search_fields: ClassVar = ["label"]
    list_display: ClassVar = [
        TitleColumn("label", label=_("Question"), url_name="thankyou_coupons_answer:inspect"),
        Column("text", label=_("Answer")),
        Column("customer", label=_("Customer"), accessor=lambda answer: masked_holder(answer.holder_key)),
        Column("campaign", label=_("Campaign")),
        DateColumn("answered_at", label=_("Answered"), sort_key="answered_at"),
        MomentColumn("delete_after", label=_("Kept until"), sort_key="delete_after"),
    ]
    inspect_view_fields: ClassVar = ["label", "text", "purpose", "campaign", "coupon", "answered_at", "delete_after"]

    def get_urlpatterns(self) -> list[URLPattern]:
        return [
            *super().get_urlpatterns(),
            path("export/", self.construct_view(ExportView), name="export"),
            path("erase/", self.construct_view(EraseView), name="erase"),
        ]
