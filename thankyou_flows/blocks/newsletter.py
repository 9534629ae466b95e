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
from django.core.validators import slug_re
from django.utils.translation import gettext_lazy as _
from wagtail import blocks

from ..conf import app_settings
from ..flow import Flow
from ..models import ConsentReceipt, MailingList
from ..newsletter import DEFAULT_LIST, NewsletterError, find_list, incentives, subscribe_visitor
from ..newsletter.lists import privacy_line
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


def list_choices() -> list[tuple[str, str]]:
    """Return the lists that an editor can choose, with a word for those that take nobody new."""
    rows = {row.slug: row for row in MailingList.objects.all()}
    default = find_list(DEFAULT_LIST) if DEFAULT_LIST not in rows else None
    found = [*rows.values(), *([default] if default is not None else [])]
    return [
        (row.slug, row.title if row.is_open else str(_("%(list)s (closed)")) % {"list": row.title}) for row in found
    ]


class StoredListField(forms.ChoiceField):
    """A choice of lists that stays valid when a list is gone: the preview says so, and the editor chooses another."""

    def valid_value(self, value: str) -> bool:
        return slug_re.fullmatch(value) is not None


class MailingListBlock(blocks.ChoiceBlock):
    """Picks a list by its slug. The lists are read when a form is shown, not when a page is."""

    def __init__(self, **kwargs: Any) -> None:
        # A search for the name of a list would find every page.
        super().__init__(**{"choices": list_choices, "search_index": False, **kwargs})

    def get_field(self, **kwargs: Any) -> forms.Field:
        return StoredListField(**kwargs)

    def normalize_choice(self, value: Any) -> str | None:
        """Slugs are text already; Wagtail would look each up among all lists."""
        return None if value is None else str(value)


class NewsletterBlock(ActionBlock):
    """A sign-up form for one mailing list. It works on any page, with or without an order.

    A list that is closed, or gone, leaves no trace on the page; the preview says what is wrong.
    """

    access_level = AccessLevel.NONE
    form_class = NewsletterForm

    heading = blocks.CharBlock(label=_("Heading"), default=_("Letters from the shop"), max_length=80)
    text = blocks.CharBlock(
        label=_("A sentence about it"),
        required=False,
        max_length=200,
        help_text=_("Empty: what the list is about, as it says itself."),
    )
    promise = blocks.CharBlock(
        label=_("What you promise"),
        required=False,
        max_length=200,
        help_text=_("How often you write. Say only what you will keep. Empty: what the list promises."),
    )
    button = blocks.CharBlock(label=_("Button"), default=_("Subscribe"), max_length=40)
    list_slug = MailingListBlock(
        choices=list_choices,
        label=_("List"),
        default=DEFAULT_LIST,
        help_text=_("What people agree to is kept with it."),
    )

    class Meta:
        icon = "mail"
        label = _("Newsletter")
        group = _("Next step")
        template = "thankyou_flows/blocks/newsletter.html"
        description = _("A sign-up that asks by mail whether it was really this person")

    def find_list(self, value: Mapping[str, Any]) -> MailingList | None:
        """Return the list if people can sign up for it: asked once for each value, so once for each page."""
        slug = value.get("list_slug") or DEFAULT_LIST
        known: tuple[str, MailingList | None] | None = getattr(value, "_found_list", None)
        if known is None or known[0] != slug:
            known = (slug, find_list(slug))
            if isinstance(value, blocks.StructValue):
                value._found_list = known
        return known[1]

    def is_shown(self, value: Mapping[str, Any], flow: Flow) -> bool:
        return super().is_shown(value, flow) and (flow.is_preview or self.find_list(value) is not None)

    def get_lines(self, value: Mapping[str, Any]) -> dict[str, str]:
        """Return all that the form says to the visitor, by name, in the order in which it stands there."""
        mailing_list = self.find_list(value) or MailingList()
        campaign = incentives.promised(mailing_list)
        lines = {
            "heading": value["heading"],
            "text": value["text"] or mailing_list.purpose,
            "reward": str(_("As a thank-you you get: %(benefit)s.")) % {"benefit": campaign.headline}
            if campaign
            else "",
            "promise": value["promise"] or mailing_list.promise,
        }
        # The list says itself what it is for and how often it writes, whatever the editor has written above (EM-4).
        rest = [text for text in (mailing_list.purpose, mailing_list.promise) if text and text not in lines.values()]
        consent = str(
            _("By pressing “%(button)s” you agree to get “%(list)s” by e-mail. First you get a link to confirm it.")
        ) % {"button": value["button"], "list": mailing_list.title}
        return {**lines, "consent": " ".join([consent, *rest])}

    def get_wording(self, value: Mapping[str, Any]) -> str:
        """Return all that the form says to the visitor, line by line as it is shown: the consent is to this (EM-4)."""
        return "\n".join(str(line) for line in (*self.get_lines(value).values(), privacy_line()) if line)

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
        context["lines"] = self.get_lines(value)
        context["privacy_url"] = app_settings.privacy_url
        context["is_closed"] = self.find_list(value) is None
        return context

    def act(self, action: Action) -> Outcome:
        try:
            subscribe_visitor(
                request=action.request,
                email=action.data["email"],
                list_slug=action.value["list_slug"] or DEFAULT_LIST,
                wording=self.get_wording(action.value),
                method=ConsentReceipt.Method.BLOCK,
                source=action.flow.source,
                path=urlsplit(action.flow.url).path,
            )
        except NewsletterError as error:
            raise ValidationError(error.message) from error
        return Outcome(code="sent")


def _signer() -> Signer:
    return Signer(salt="thankyou_flows.newsletter")


def _digest(wording: str) -> str:
    return hashlib.sha256(wording.encode()).hexdigest()[:16]
