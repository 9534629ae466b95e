"""Forms for what staff do to single coupons."""

from __future__ import annotations

import secrets
from typing import Any

from django import forms
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from ..models import Campaign


class IssueForm(forms.Form):
    """One coupon, given out by hand."""

    campaign = forms.ModelChoiceField(
        Campaign.objects.none(), label=_("Campaign"), help_text=_("Only running campaigns with single codes.")
    )
    email = forms.EmailField(
        label=_("E-mail address of the customer"),
        required=False,
        help_text=_(
            "Then the coupon is found by this address, and appears in the customer’s account. The address itself is "
            "not stored. Leave empty for a coupon that belongs to nobody yet."
        ),
    )
    usage_limit = forms.IntegerField(
        label=_("How many orders may use it"),
        required=False,
        min_value=1,
        max_value=1000,
        help_text=_("Leave empty for as many as the campaign says."),
    )
    note = forms.CharField(
        label=_("Note"),
        required=False,
        max_length=200,
        help_text=_("Why you give it out. Your colleagues see it in the coupon’s life. No names, please."),
    )
    #: Makes a second click on the button the same coupon.
    once = forms.CharField(widget=forms.HiddenInput, max_length=32, initial=lambda: secrets.token_hex(16))

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        running = Campaign.objects.running(now=timezone.now()).exclude(code_type=Campaign.CodeType.WORD)
        self.fields["campaign"].queryset = running.order_by("title")  # type: ignore[attr-defined]


class RevokeForm(forms.Form):
    """Why a coupon is taken back."""

    reason = forms.CharField(
        label=_("Reason"),
        required=False,
        max_length=200,
        help_text=_("Your colleagues see it in the coupon’s life; the customer does not. No names, please."),
    )


class EraseForm(forms.Form):
    """Whose answers are deleted, and which of them an address leads to (see ``answering.answers_of_customer``)."""

    email = forms.EmailField(
        label=_("E-mail address of the customer"),
        help_text=_(
            "Deleted at once, in all campaigns, are the answers kept under this address, those of an account that has "
            "proved this address, and those given for coupons that this customer has used. Answers of a guest who never "
            "told this address, or of an account that has not proved it, cannot be found by it: their owner deletes "
            "them on the page of the coupon. Unlocked coupons stay valid."
        ),
    )
