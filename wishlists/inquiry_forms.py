"""The form with which a visitor asks the shop something, and what keeps programs from doing so without any account."""

from __future__ import annotations

import time
from typing import Any, Final

from django import forms
from django.core import signing
from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy as _

from .inquiries import LONGEST, LONGEST_NAME, plain_text

#: Own purpose, so that no other signed value of the site passes for it.
SALT: Final = "thankyou_wishlists.ask.v1"
#: Seconds in which nobody reads the form and writes a question; and for which an open page stays good.
QUICKEST: Final = 3
LONGEST_OPEN: Final = 24 * 60 * 60


class PlainField(forms.CharField):
    """A text of a visitor: control characters are dropped, and line ends count once, as in the browser."""

    def __init__(self, *, is_line: bool = False, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.is_line = is_line
        self.widget.is_line = is_line

    def to_python(self, value: Any) -> str:
        return plain_text(super().to_python(value) or "", is_line=self.is_line)


class AskForm(forms.Form):
    """E-mail address, name if one likes, question. What it is about stands beside it, and is not a field."""

    email = forms.EmailField(
        label=_("Your e-mail address"),
        max_length=254,
        widget=forms.EmailInput(attrs={"autocomplete": "email"}),
        error_messages={
            "required": _("Please give your e-mail address, so that we can answer you."),
            "invalid": _("Please check the e-mail address: something is missing or too much, as in name@example.com."),
        },
    )
    name = PlainField(
        label=_("Your name (if you like)"),
        is_line=True,
        required=False,
        max_length=LONGEST_NAME,
        widget=forms.TextInput(attrs={"autocomplete": "name"}),
    )
    text = PlainField(
        label=_("Your question"),
        max_length=LONGEST,
        widget=forms.Textarea(attrs={"rows": 6}),
        error_messages={
            "required": _("Please write your question here."),
            "max_length": _(
                "Please shorten your question a little: it has %(show_value)d characters, and %(limit_value)d fit."
            ),
        },
    )
    #: People do not see it. Programs that fill in everything do.
    website = forms.CharField(
        label=_("Website"),
        required=False,
        widget=forms.TextInput(attrs={"autocomplete": "off", "tabindex": "-1"}),
    )
    began = forms.CharField(required=False, widget=forms.HiddenInput)

    def __init__(self, data: Any = None, **kwargs: Any) -> None:
        super().__init__(data, **kwargs)
        # With it a browser cuts what is pasted, and says nothing.
        self.fields["text"].widget.attrs.pop("maxlength", None)
        self.age = _age(data.get("began", "")) if data is not None else None
        if self.age is None:
            self.initial["began"] = _stamp()

    @property
    def began_now(self) -> str:
        """The stamp for the form as it is shown: the one that came, if it is good, so that a second try is not early."""
        return str(self.data["began"]) if self.age is not None else str(self.initial["began"])

    def clean_website(self) -> str:
        if self.cleaned_data["website"]:
            raise ValidationError(
                _("Please send it once more: a field that people cannot see was filled in. It is empty now."), "robot"
            )
        return ""

    def clean(self) -> dict[str, Any]:
        if self.age is None:
            raise ValidationError(
                _("This page was open for a long time. Please look it over and send it once more."), "old"
            )
        if self.age < QUICKEST:
            raise ValidationError(_("That was very quick. Please wait a moment and send it once more."), "quick")
        return self.cleaned_data


def _stamp() -> str:
    return signing.TimestampSigner(salt=SALT).sign("ask")


def _age(stamp: str) -> int | None:
    """Return for how many seconds the form was open; None if that is not known, or too long."""
    try:
        signing.TimestampSigner(salt=SALT).unsign(stamp, max_age=LONGEST_OPEN)
        began = signing.b62_decode(stamp.rsplit(":", 2)[1])
    except (signing.BadSignature, ValueError):
        return None
    return max(0, int(time.time()) - began)
