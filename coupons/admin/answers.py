"""What customers told the shop: to read, to export, and to erase when they ask (CO-9)."""

from __future__ import annotations

import csv
from typing import Any, ClassVar, Final

import django_filters  # type: ignore[import-untyped]
from django import forms
from django.db.models import QuerySet
from django.http import HttpResponse, HttpResponseRedirect, StreamingHttpResponse
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
from ..answering import erase, export_answers
from ..holders import customer_key
from ..models import Answer, Campaign
from ..models.questions import AnswerQuerySet
from ..readonly import ReadOnlyViewSet
from .columns import MomentColumn
from .coupon_forms import EraseForm
from .formpage import FormPage
from .life import masked_holder

#: What the log of the site calls it.
EXPORTED: Final = "thankyou_coupons.export_answers"
ERASED: Final = "thankyou_coupons.erase_answers"


class Echo:
    """A file that hands back what is written, for ``csv``."""

    def write(self, text: str) -> str:
        return text


def _question_choices() -> list[tuple[str, str]]:
    """Return each question once, with the words it was asked in last."""
    labels: dict[str, str] = {}
    for name, label in Answer.objects.order_by("pk").values_list("question_name", "label"):
        labels[name] = label
    return sorted(labels.items(), key=lambda choice: choice[1].casefold())


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
        return Answer.objects.current(now=timezone.now()).select_related("campaign")

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
        """What the list shows with the filters of the address; what is no filter leaves nothing out."""
        current = Answer.objects.current(now=timezone.now())
        filtered: AnswerQuerySet = AnswerFilterSet(self.request.GET, queryset=current, request=self.request).qs
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
        writer = csv.writer(Echo())
        response = StreamingHttpResponse(
            (writer.writerow(row) for row in export_answers(self.answers)), content_type="text/csv; charset=utf-8"
        )
        response["Content-Disposition"] = 'attachment; filename="answers.csv"'
        response["Cache-Control"] = "no-store, private"
        return response


class EraseView(FormPage):
    """Deletes all answers of one customer (GDPR art. 17)."""

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
        count = erase(holder_key=customer_key(form.cleaned_data["email"]), actor=events.actor_of(self.request.user))
        if count:
            log(instance=self.request.user, action=ERASED, user=self.request.user, data={"count": count})
            said = ngettext("One answer is erased.", "%(count)s answers are erased.", count) % {"count": count}
            messages.success(self.request, said)
        else:
            messages.warning(self.request, gettext("There are no answers of this customer."))
        return HttpResponseRedirect(self.get_back_url())


class AnswerViewSet(ReadOnlyViewSet):
    """Answers, to look at, to export and to erase."""

    model = Answer
    name = "thankyou_coupons_answer"
    icon = "openquote"
    menu_label = _("Answers")
    index_view_class = AnswerIndexView
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
