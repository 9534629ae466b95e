"""Forms for a sign-up outside of the block: a box for a shop's own form, and what the API takes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from django import forms
from django.core import signing
from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy as _

from ..models import ConsentReceipt
from .checkout import checkout_wording, sign_up_at_checkout
from .lists import DEFAULT_LIST, find_list

if TYPE_CHECKING:
    from django.http import HttpRequest

SALT: Final = "thankyou_flows.newsletter_box"
#: Longest wording that the API keeps, in characters.
MAX_WORDING: Final = 1000


class NewsletterBox(forms.Form):
    """Mix it into a form of the shop (checkout, account): a box that is not ticked, and what stood beside it, signed.

    What was shown is what is kept (EM-4), also if the owner changes the list while the customer types. Show both fields,
    ``newsletter`` and the hidden ``newsletter_shown``; if nobody can sign up for the list, neither is there. After the
    form's own work call :meth:`sign_up`.
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
        # A form that comes back with errors says what it said before: the customer has read that.
        wording = self._read_shown() or checkout_wording(self.newsletter_list)
        if not wording:
            del self.fields["newsletter"], self.fields["newsletter_shown"]
            return
        label, _line, privacy = wording.partition("\n")
        self.fields["newsletter"].label = label
        self.fields["newsletter"].help_text = privacy
        self.fields["newsletter_shown"].initial = signing.dumps(wording, salt=SALT, compress=True)

    @property
    def newsletter_wording(self) -> str:
        """What the customer agreed to by ticking the box, after ``is_valid()``; empty for a box that was not ticked, and
        if nobody knows what stood beside it: a lost proof is no consent.
        """
        return self._read_shown() if getattr(self, "cleaned_data", {}).get("newsletter") else ""

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

    def _read_shown(self) -> str:
        shown = (self.data or {}).get(self.add_prefix("newsletter_shown")) if self.is_bound else ""
        if not shown:
            return ""
        try:
            return str(signing.loads(shown, salt=SALT))
        except signing.BadSignature:
            return ""


class SignUpForm(forms.Form):
    """What the API takes. ``list`` is the slug of a list that is open; ``wording`` what the shop's front end showed."""

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
