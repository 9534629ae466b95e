"""Forms for a sign-up outside of the block: a box for a shop's own form, and what the API takes."""

from __future__ import annotations

import time
from copy import copy
from typing import TYPE_CHECKING, Any, Final

from django import forms
from django.core import signing
from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy as _

from ..conf import app_settings
from ..models import ConsentReceipt
from .checkout import checkout_wording, sign_up_at_checkout
from .lists import DEFAULT_LIST, find_list

if TYPE_CHECKING:
    from django.http import HttpRequest

SALT: Final = "thankyou_flows.newsletter_box"
#: How long what was shown counts as read, in seconds.
LONGEST_SHOWN: Final = 24 * 60 * 60
#: Longest wording that the API keeps, in characters.
MAX_WORDING: Final = 1000


class NewsletterBox(forms.Form):
    """Mix it into a form of the shop (checkout, account): a box that is not ticked, and what stood beside it, signed.

    What was shown is what is kept (EM-4), also if the owner changes the list while the customer types. Show both fields,
    ``newsletter`` and the hidden ``newsletter_shown``; if nobody can sign up for the list, neither is there. After the
    form's own work call :meth:`sign_up`.

    A page that was open for more than a day is shown anew: its tick is taken off, and ``newsletter_problem`` says so. A
    form that comes back sooner than ``MIN_FILL_SECONDS`` is a program's (EM-3). Neither makes the form invalid: an order
    does not fail for a newsletter's sake, it only brings no sign-up.
    """

    #: Slug of the list.
    newsletter_list = DEFAULT_LIST
    #: By which way it came, and the name that the receipt keeps for the form.
    newsletter_method = ConsentReceipt.Method.CHECKOUT
    newsletter_source = "checkout"

    newsletter = forms.BooleanField(required=False, initial=False)
    newsletter_shown = forms.CharField(required=False, widget=forms.HiddenInput)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        #: Why a tick brings no sign-up, in words for the customer; empty if it does, or if there is none.
        self.newsletter_problem = ""
        # A form that comes back with errors says what it said before: the customer has read that.
        read, self._shown_at = self._read_shown()
        wording = read or checkout_wording(self.newsletter_list)
        if not wording:
            del self.fields["newsletter"], self.fields["newsletter_shown"]
            return
        label, _line, privacy = wording.partition("\n")
        self.fields["newsletter"].label = label
        self.fields["newsletter"].help_text = privacy
        stamp = signing.dumps([wording, int(time.time() * 1000)], salt=SALT, compress=True)
        self.fields["newsletter_shown"].initial = stamp
        if self.is_bound and not read:
            self._show_anew(stamp)
        elif self.is_bound and self._is_too_quick() and self._posted("newsletter"):
            self.newsletter_problem = str(_("That was quicker than we expected."))

    @property
    def newsletter_wording(self) -> str:
        """What the customer agreed to by ticking the box, after ``is_valid()``; empty for a box that was not ticked, and
        if nobody knows what stood beside it: a lost proof is no consent.
        """
        ticked = getattr(self, "cleaned_data", {}).get("newsletter") and not self._is_too_quick()
        return self._read_shown()[0] if ticked else ""

    def sign_up(self, *, request: HttpRequest, email: str) -> bool:
        """Ask by mail whether the newsletter is wanted, if the box was ticked; return whether it was. Never raises."""
        return sign_up_at_checkout(
            request=request,
            email=email,
            wording=self.newsletter_wording,
            list_slug=self.newsletter_list,
            method=self.newsletter_method,
            source=self.newsletter_source,
        )

    def _posted(self, name: str) -> str:
        return str((self.data or {}).get(self.add_prefix(name)) or "") if self.is_bound else ""

    def _read_shown(self) -> tuple[str, float]:
        """Return what stood beside the box and when it was shown, in seconds; nothing for what cannot be read."""
        try:
            wording, shown_at = signing.loads(self._posted("newsletter_shown"), salt=SALT, max_age=LONGEST_SHOWN)
            return str(wording), int(shown_at) / 1000
        except (signing.BadSignature, TypeError, ValueError):
            return "", 0.0

    def _is_too_quick(self) -> bool:
        return time.time() - self._shown_at < app_settings.min_fill_seconds

    def _show_anew(self, stamp: str) -> None:
        """Take off a tick beside words that nobody knows any more: the customer reads them as they are now (EM-4)."""
        if self._posted("newsletter"):
            self.newsletter_problem = str(
                _(
                    "This page was open for long, so you are not signed up for the newsletter. Please tick the box again."
                )
                if self._posted("newsletter_shown")
                else _("Something of this form was lost on the way.")
            )
        # A QueryDict's or a dict's own kind of copy, which can be changed.
        data: Any = copy(self.data)
        data.pop(self.add_prefix("newsletter"), None)
        data[self.add_prefix("newsletter_shown")] = stamp
        self.data = data


class SignUpForm(forms.Form):
    """What the API takes. ``list`` is the slug of a list that is open; ``wording`` what the shop's front end showed.

    Without a stamp of ours nobody knows how long it took to fill in: ``MIN_FILL_SECONDS`` does not hold here. The limits
    and the shop's ``SIGN_UP_CHALLENGE`` do (EM-3).
    """

    email = forms.EmailField(
        max_length=254,
        error_messages={
            "required": _("Please type your e-mail address."),
            "invalid": _("Please check this address. It should look like name@example.com."),
        },
    )
    list = forms.CharField(max_length=50, required=False)
    wording = forms.CharField(max_length=MAX_WORDING)
    path = forms.RegexField(regex=r"\A/[^?#]*\Z", max_length=500, required=False)
    #: The trap of the block's form, for front ends that show one (EM-3).
    homepage = forms.CharField(required=False, max_length=200)

    def clean_list(self) -> str:
        slug: str = self.cleaned_data["list"] or DEFAULT_LIST
        if find_list(slug) is None:
            raise ValidationError(_("Nobody can sign up for this list at the moment."), code="closed")
        return slug

    def clean_homepage(self) -> str:
        if self.cleaned_data["homepage"]:
            raise ValidationError(_("Something filled in a field that is not meant for people."), code="trap")
        return ""
