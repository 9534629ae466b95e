"""One question in the admin: what it is about today, the answer with its preview, and what else can be done with it."""

from __future__ import annotations

from typing import Any, ClassVar, Final

from django import forms
from django.core.exceptions import PermissionDenied, ValidationError
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404
from django.urls import reverse
from django.utils.functional import cached_property
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from django.views import View
from wagtail.admin import messages
from wagtail.admin.views.generic.base import WagtailAdminTemplateMixin
from wagtail.admin.views.generic.permissions import PermissionCheckedMixin
from wagtail.admin.widgets import AdminAutoHeightTextInput
from wagtail.log_actions import log

from .. import inquiries, mails
from ..catalog import Card, choices_of, get_catalog
from ..conf import app_settings
from ..exceptions import NoCatalog
from ..inquiries import LONGEST_ANSWER, NO_PRODUCT, Overtaken, plain_text
from ..inquiry_forms import PlainField
from ..lines import Line, is_ref
from ..models import Inquiry
from ..pricing import PricedLine, price_line

#: What the log of the site calls it.
DELETED: Final = "thankyou_wishlists.delete_inquiry"


class AnswerForm(forms.Form):
    """The answer."""

    answer = PlainField(
        label=_("Your answer"),
        max_length=LONGEST_ANSWER,
        help_text=_("It goes by mail, with the question below it. Links become links."),
        widget=AdminAutoHeightTextInput(attrs={"rows": 10}),
        error_messages={"required": _("Please write an answer.")},
    )

    def __init__(self, *args: Any, greeting: str = "", **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.greeting = plain_text(greeting)

    def clean_answer(self) -> str:
        text: str = self.cleaned_data["answer"]
        if text == self.greeting:
            raise ValidationError(_("Please write your answer between the greeting and the end."), "greeting")
        return text


class OneInquiry(PermissionCheckedMixin):
    """A view of one question."""

    model = Inquiry
    any_permission_required: ClassVar[list[str]] = ["view", "answer", "delete"]
    request: HttpRequest
    kwargs: dict[str, Any]

    @cached_property
    def inquiry(self) -> Inquiry:
        """The question; asked for behind the permission."""
        return get_object_or_404(Inquiry.objects.select_related("answered_by"), pk=self.kwargs["pk"])

    @property
    def url(self) -> str:
        return reverse("thankyou_wishlists_inquiry:inspect", args=[self.kwargs["pk"]])

    def say_overtaken(self, error: Overtaken) -> None:
        """Say who did what meanwhile."""
        if error.inquiry is None:
            messages.warning(self.request, gettext("Somebody has deleted this question in the meantime."))
        else:
            messages.warning(self.request, what_happened(error.inquiry))


class AnswerView(OneInquiry, WagtailAdminTemplateMixin, View):
    """The question with its products as they are today, and the form for the answer for those who may.

    ``action=preview`` shows the mail as it will look, anything else sends it. If somebody else was quicker, the text stays
    on the page, and nothing is mailed.
    """

    template_name = "thankyou_wishlists/admin/inquiry.html"
    page_title = _("Customer question")
    header_icon = "help"

    def get(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        text = self.inquiry.answer or mails.greeting_for(self.inquiry)
        return self.render_to_response(self.get_context_data(form=AnswerForm(initial={"answer": text})))

    def post(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        if not self.user_has_permission("answer"):
            raise PermissionDenied
        try:
            inquiry = self.inquiry
        except Http404:
            # Deleted meanwhile: what was written is still of use.
            self.say_overtaken(Overtaken(None))
            self.inquiry = Inquiry(pk=kwargs["pk"], state=Inquiry.State.CLOSED)
            return self.show(AnswerForm(request.POST), status=409)
        form = AnswerForm(request.POST, greeting=mails.greeting_for(inquiry))
        if not form.is_valid():
            return self.show(form, status=422)
        text = form.cleaned_data["answer"]
        if request.POST.get("action") == "preview":
            return self.show(form, preview=mails.render_answer(inquiry, answer=text))
        try:
            inquiries.answer(inquiry=inquiry, text=text, by=request.user)
        except Overtaken as error:
            self.say_overtaken(error)
            if error.inquiry is not None:
                self.inquiry = error.inquiry
            return self.show(form, status=409)
        say_sent(request, inquiry)
        return HttpResponseRedirect(self.url)

    def show(self, form: AnswerForm, *, status: int = 200, **more: Any) -> HttpResponse:
        return self.render_to_response(self.get_context_data(form=form, **more), status=status)

    def get_page_subtitle(self) -> str:
        return str(self.inquiry)

    def get_breadcrumbs_items(self) -> list[dict[str, Any]]:
        return [
            *self.breadcrumbs_items,
            {"url": reverse("thankyou_wishlists_inquiry:index"), "label": gettext("Customer questions")},
            {"url": "", "label": self.get_page_title(), "sublabel": self.get_page_subtitle()},
        ]

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        inquiry, form = self.inquiry, kwargs["form"]
        is_open = inquiry.state == Inquiry.State.OPEN
        may_answer = self.user_has_permission("answer")
        return super().get_context_data(
            **kwargs,
            inquiry=inquiry,
            products=products_today(inquiry),
            state=what_happened(inquiry),
            is_open=is_open,
            is_unsent=inquiry.state == Inquiry.State.ANSWERED and inquiry.mailed_at is None,
            may_answer=may_answer and is_open,
            may_reopen=may_answer and not is_open,
            may_send=may_answer,
            may_delete=self.user_has_permission("delete"),
            # Written, and then somebody else was quicker.
            lost_text=form.data.get("answer", "") if form.is_bound and not is_open else "",
            days=app_settings.inquiry_days,
        )


class StepView(OneInquiry, View):
    """One click that changes the state."""

    permission_required = "answer"
    any_permission_required = None  # type: ignore[assignment]
    http_method_names = ["post"]
    said: Any = ""

    def post(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        try:
            self.step()
        except Overtaken as error:
            self.say_overtaken(error)
        return HttpResponseRedirect(self.url)

    def step(self) -> None:
        raise NotImplementedError


class CloseView(StepView):
    """Closes a question without an answer."""

    def step(self) -> None:
        inquiries.close(inquiry=self.inquiry)
        messages.success(self.request, gettext("The question is closed. Nobody was told."))


class ReopenView(StepView):
    """Opens a question again."""

    def step(self) -> None:
        inquiries.reopen(inquiry=self.inquiry)
        messages.success(self.request, gettext("The question is open again."))


class SendView(StepView):
    """Tries again to mail an answer that could not be sent."""

    def step(self) -> None:
        inquiries.send_answer(inquiry=self.inquiry)
        say_sent(self.request, self.inquiry)


class DeleteView(OneInquiry, WagtailAdminTemplateMixin, View):
    """Deletes a question and its answer after a confirmation. That somebody did is written down, not what it said."""

    permission_required = "delete"
    any_permission_required = None  # type: ignore[assignment]
    template_name = "thankyou_wishlists/admin/inquiry_delete.html"
    page_title = _("Delete a customer question")
    header_icon = "bin"

    def get(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        return self.render_to_response(self.get_context_data(inquiry=self.inquiry, back_url=self.url))

    def post(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        self.inquiry.delete()
        log(instance=request.user, action=DELETED, user=request.user)
        messages.success(request, gettext("The question is deleted, with its answer."))
        return HttpResponseRedirect(reverse("thankyou_wishlists_inquiry:index"))

    def get_breadcrumbs_items(self) -> list[dict[str, Any]]:
        return [
            *self.breadcrumbs_items,
            {"url": reverse("thankyou_wishlists_inquiry:index"), "label": gettext("Customer questions")},
            {"url": self.url, "label": str(self.inquiry)},
            {"url": "", "label": self.get_page_title()},
        ]


def say_sent(request: HttpRequest, inquiry: Inquiry) -> None:
    """Say whether the customer has the answer now."""
    if inquiry.mailed_at is not None:
        messages.success(request, gettext("The answer is on its way to %(email)s.") % {"email": inquiry.email})
    elif inquiry.state == Inquiry.State.ANSWERED:
        text = gettext(
            "The answer is kept, but the mail server did not take it. Please choose “Try again” in a moment."
        )
        messages.warning(request, text)
    else:
        messages.warning(request, what_happened(inquiry))


def what_happened(inquiry: Inquiry) -> str:
    """Return the state of a question in a sentence."""
    if inquiry.state == Inquiry.State.OPEN:
        return gettext("This question is waiting for an answer.")
    if inquiry.state == Inquiry.State.CLOSED:
        return gettext("This question was closed without an answer.")
    who = inquiry.answered_by
    if who is None:
        return gettext("This question is answered.")
    return gettext("%(person)s has answered this question.") % {"person": who.get_full_name() or who.get_username()}


def products_today(inquiry: Inquiry) -> list[tuple[dict[str, Any], PricedLine]]:
    """Return what a question is about with today's prices, by one question to the catalogue (CK-4)."""
    found = [row for row in inquiry.products if isinstance(row, dict) and is_ref(row.get("product_ref"))]
    rows = [{**NO_PRODUCT, **row} for row in found]
    try:
        cards = get_catalog().get_products(refs=[row["product_ref"] for row in rows]) if rows else {}
    except NoCatalog:
        cards = {}
    return [(row, _line_today(row, cards.get(row["product_ref"]))) for row in rows]


def _line_today(row: dict[str, Any], card: Card | None) -> PricedLine:
    """Return one product at today's price; one that was asked about in general can be ordered in any of its options."""
    any_option = next(iter((choices_of(card) if card is not None else None) or [""]))
    return price_line(Line(row["product_ref"], row["quantity"], row["options"] or any_option), card)
