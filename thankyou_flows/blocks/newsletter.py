"""The newsletter block: a secondary action for people who want to hear from the shop again, with double opt-in."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

from django import forms
from django.core.exceptions import NON_FIELD_ERRORS, ValidationError
from django.core.signing import BadSignature, Signer
from django.core.validators import validate_slug
from django.utils.translation import get_language
from django.utils.translation import gettext_lazy as _
from wagtail import blocks
from wagtail.models import Site

from ..conf import app_settings
from ..flow import Flow
from ..newsletter import TooManySignUps, subscribe
from ..ratelimit import client_ip
from ..values import AccessLevel
from .base import Action, ActionBlock, Outcome


class NewsletterForm(forms.Form):
    """An e-mail address, and three fields that nobody sees."""

    email = forms.EmailField(
        label=_("E-mail"),
        max_length=254,
        widget=forms.EmailInput(attrs={"autocomplete": "email", "autocapitalize": "none", "spellcheck": "false"}),
        error_messages={
            "required": _("Please type your e-mail address."),
            "invalid": _("Please check this address. It should look like name@example.com."),
        },
    )
    #: A trap for programs that fill in every field (EM-3).
    homepage = forms.CharField(required=False, max_length=200)
    #: What was shown, and when: signed by us.
    stamp = forms.CharField(required=False, max_length=200)

    def __init__(self, *args: Any, wording: str = "", **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.wording = wording

    @property
    def fresh_stamp(self) -> str:
        """The stamp for a form that is shown now, also when it comes back with errors."""
        return _signer().sign(f"{_digest(self.wording)}:{int(time.time() * 1000)}")

    def clean_homepage(self) -> str:
        if self.cleaned_data["homepage"]:
            # Said, not swallowed: it may have been a browser's autofill, and the field is empty the next time.
            raise ValidationError(_("Something filled in a field that is not meant for people."), code="trap")
        return ""

    def clean_stamp(self) -> str:
        try:
            digest, shown_at = _signer().unsign(self.cleaned_data["stamp"]).split(":")
            seconds = time.time() - int(shown_at) / 1000
        except (BadSignature, ValueError) as error:
            raise ValidationError(_("Something of this form was lost on the way."), code="stamp") from error
        if digest != _digest(self.wording):
            # The consent is to what was read (EM-4), and that is not what stands here now.
            raise ValidationError(_("The text here was changed in the meantime. Please read it again."), code="wording")
        if seconds < app_settings.min_fill_seconds:
            raise ValidationError(_("That was quicker than we expected."), code="fast")
        return ""

    @property
    def form_errors(self) -> list[str]:
        """What is wrong with the form rather than with the address, in words."""
        return [
            str(message) for name in (NON_FIELD_ERRORS, "homepage", "stamp") for message in self.errors.get(name, [])
        ]


class NewsletterBlock(ActionBlock):
    """A sign-up form. It works on any page, with or without an order."""

    access_level = AccessLevel.NONE
    form_class = NewsletterForm

    heading = blocks.CharBlock(label=_("Heading"), default=_("Letters from the shop"), max_length=80)
    text = blocks.CharBlock(
        label=_("A sentence about it"),
        required=False,
        max_length=200,
        default=_("What is new, and how to get the most out of what you have."),
    )
    promise = blocks.CharBlock(
        label=_("What you promise"),
        required=False,
        max_length=200,
        default=_("At most twice a month."),
        help_text=_("How often you write. Say only what you will keep."),
    )
    button = blocks.CharBlock(label=_("Button"), default=_("Subscribe"), max_length=40)
    list_slug = blocks.CharBlock(
        label=_("List"),
        default="newsletter",
        max_length=50,
        validators=[validate_slug],
        help_text=_("Only of interest if you have several newsletters. Small letters, digits and hyphens: “recipes”."),
    )

    class Meta:
        icon = "mail"
        label = _("Newsletter")
        group = _("Next step")
        template = "thankyou_flows/blocks/newsletter.html"
        description = _("A sign-up that asks by mail whether it was really this person")

    def get_consent(self, value: Mapping[str, Any]) -> str:
        """Return the sentence that says what pressing the button means."""
        return str(
            _("By pressing “%(button)s” you agree to get “%(heading)s” by e-mail. First you get a link to confirm it.")
        ) % {"button": value["button"], "heading": value["heading"]}

    def get_wording(self, value: Mapping[str, Any]) -> str:
        """Return all that the form says to the visitor, line by line as it is shown: the consent is to this (EM-4)."""
        lines = [value["heading"], value["text"], value["promise"], self.get_consent(value)]
        if app_settings.privacy_url:
            lines.append(f"{_('How we treat your data')}: {app_settings.privacy_url}")
        return "\n".join(str(line) for line in lines if line)

    def get_form(
        self, *, value: Any, flow: Flow, block_id: str = "", data: Mapping[str, Any] | None = None
    ) -> forms.Form:
        known = flow.order.email if flow.is_full and flow.order is not None else ""
        return NewsletterForm(
            data,
            initial={"email": known},
            wording=self.get_wording(value),
            auto_id=f"id_{block_id}_%s" if block_id else "id_%s",
        )

    def get_context(self, value: Any, parent_context: Mapping[str, Any] | None = None) -> dict[str, Any]:
        context = super().get_context(value, parent_context=parent_context)
        context["consent"] = self.get_consent(value)
        context["privacy_url"] = app_settings.privacy_url
        return context

    def act(self, action: Action) -> Outcome:
        site = Site.find_for_request(action.request)
        try:
            subscribe(
                email=action.data["email"],
                list_slug=action.value["list_slug"],
                wording=self.get_wording(action.value),
                source=action.flow.source,
                path=urlsplit(action.flow.url).path,
                language=get_language() or "",
                ip_key=client_ip(action.request),
                base_url=action.request.build_absolute_uri("/"),
                site_name=site.site_name if site is not None else "",
            )
        except TooManySignUps as error:
            raise ValidationError(error.message) from error
        return Outcome(code="sent")


def _signer() -> Signer:
    return Signer(salt="thankyou_flows.newsletter")


def _digest(wording: str) -> str:
    return hashlib.sha256(wording.encode()).hexdigest()[:16]
