""" "Send me a test": one mail of a follow-up with sample data, to the address of whoever asks, and to no other."""

from __future__ import annotations

import secrets
from typing import Any, Final

from django import forms
from django.core.exceptions import ValidationError
from django.core.mail import EmailMultiAlternatives
from django.core.validators import validate_email
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404
from django.urls import reverse
from django.utils.functional import cached_property
from django.utils.translation import get_language, gettext
from django.utils.translation import gettext_lazy as _
from wagtail.admin import messages

from coupons.admin.formpage import FormPage

from ..models import FollowUp, MessageKind
from ..ratelimit import hit
from .preview import read_mode, step_of

#: Test mails of one member of staff.
LIMITS: Final = ("10/10 minutes", "60/day")
#: Why such a message stands in the outbox.
TEST: Final = "test"


def own_address(user: Any) -> str:
    """Return the address of a member of staff; empty if none is known, or it is none."""
    address = str(getattr(user, user.get_email_field_name(), "") or "")
    try:
        validate_email(address)
    except ValidationError:
        return ""
    return address


class TestMailForm(forms.Form):
    """Which mail, as which sample customer would get it."""

    mode = forms.ChoiceField(label=_("As it would reach"), help_text=_("Names, orders and codes in it are made up."))
    #: Makes a second click on the button the same test.
    once = forms.CharField(widget=forms.HiddenInput, max_length=32, initial=lambda: secrets.token_hex(8))

    def __init__(self, *args: Any, follow_up: FollowUp, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["mode"].choices = follow_up.preview_modes  # type: ignore[attr-defined]


class TestMailView(FormPage):
    """Sends one test mail, as the follow-up is saved."""

    # It is no test of pytest's.
    __test__ = False

    model = FollowUp
    permission_required = "change"
    form_class = TestMailForm
    header_icon = "mail"
    page_title = _("Send me a test")
    submit_label = _("Send me a test")

    @cached_property
    def follow_up(self) -> FollowUp:
        return get_object_or_404(FollowUp, pk=self.kwargs["pk"])

    def get(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        if problem := self._why_not():
            messages.error(request, problem)
            return HttpResponseRedirect(self.get_back_url())
        return super().get(request, *args, **kwargs)

    def _why_not(self) -> str:
        if not own_address(self.request.user):
            return gettext("Your account has no e-mail address, so there is nowhere to send a test to.")
        if not self.follow_up.steps.exists():
            return gettext("There is no mail to send yet. Write one and save it first.")
        return ""

    def get_form_kwargs(self) -> dict[str, Any]:
        return {**super().get_form_kwargs(), "follow_up": self.follow_up}

    def get_explanation(self) -> str:
        return gettext("It goes to your own address, %(email)s, as this follow-up is saved now.") % {
            "email": own_address(self.request.user)
        }

    def get_back_url(self) -> str:
        return reverse("thankyou_flows_followup:edit", args=[self.follow_up.pk])

    def get_back_label(self) -> str:
        return str(self.follow_up)

    def form_valid(self, form: TestMailForm) -> HttpResponse:
        problem = self._why_not()
        if not problem and not hit(name="test_mail", key=str(self.request.user.pk), limits=LIMITS):
            problem = gettext("That was a lot of tests in a short time. Please try again in a few minutes.")
        if not problem and not self._send(**form.cleaned_data):
            problem = gettext("This mail cannot be written as it is now. Please look at its text once more.")
        if problem:
            form.add_error(None, problem)
            return self.form_invalid(form)
        messages.success(
            self.request, gettext("The test is on its way to %(email)s.") % {"email": own_address(self.request.user)}
        )
        return HttpResponseRedirect(self.get_back_url())

    def _send(self, *, mode: str, once: str) -> bool:
        from ..followups.composing import render_step
        from ..mail.outbox import queue_email
        from ..mail.samples import sample_facts

        number, sample = read_mode(mode)
        step = step_of(self.follow_up, number)
        if step is None:
            return False
        try:
            mail = render_step(step, facts=sample_facts(sample), kind=self.follow_up.kind)
        except Exception:
            # Blocks may be anybody's, and half-written; the owner is told, and nothing was sent.
            return False
        email = EmailMultiAlternatives(
            subject=gettext("[Test] %(subject)s") % {"subject": mail.subject},
            body=mail.text,
            to=[own_address(self.request.user)],
        )
        if mail.html:
            email.attach_alternative(mail.html, "text/html")
        queue_email(
            message=email,
            dedupe_key=f"test:{self.request.user.pk}:{self.follow_up.pk}:{once}",
            reason=TEST,
            kind=MessageKind.TRANSACTIONAL,
            language=get_language() or "",
        )
        return True
