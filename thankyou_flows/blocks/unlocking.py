"""What the coupon blocks do with a coupon that waits for the customer's answers (CO-9)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import get_language
from django.utils.translation import gettext_lazy as _
from wagtail.models import Site

from coupons.exceptions import AnswersMissing
from coupons.forms import UnlockForm, build_unlock_form
from coupons.models import Coupon
from coupons.unlocking import decline, unlock

from ..promises import order_number_of
from ..stores import get_store
from ..unlock_mail import mail_unlock_link
from .base import Action, Outcome

if TYPE_CHECKING:
    from ..promises import Promise


COMMANDS = ("claim", "use", "extend")
#: What can be done about questions. Of a coupon that another tab has unlocked meanwhile they ask nothing any more.
LOCKED_COMMANDS = ("answer", "decline", "later")


class CouponForm(forms.Form):
    """What a press of one of the buttons sends."""

    command = forms.ChoiceField(choices=[(name, "") for name in (*COMMANDS, *LOCKED_COMMANDS)])
    #: How often the deadline was extended when the button was shown: a double click extends once.
    seen = forms.IntegerField(min_value=0, max_value=1000, required=False)


class LockedForm(CouponForm):
    """The campaign's questions, and the three things one can do about them: answer, decline, have them mailed."""

    def __init__(
        self, data: Mapping[str, Any] | None, *, coupon: Coupon, is_preview: bool = False, **kwargs: Any
    ) -> None:
        super().__init__(data, **kwargs)
        answered = data if data is not None and data.get("command") == "answer" else None
        # The coupon of a preview is saved nowhere, so nobody has answered anything for it.
        asked = list(coupon.campaign.questions.all()) if is_preview else None
        self.questions: UnlockForm = build_unlock_form(
            coupon=coupon, data=answered, auto_id=str(kwargs["auto_id"]), questions=asked
        )

    def clean(self) -> dict[str, Any]:
        """Send the form back if an answer is wrong, or none was given. One that is only incomplete goes through: what
        was answered is kept, and the rest asked again.
        """
        data = super().clean() or {}
        if data.get("command") == "answer":
            errors = self.questions.errors.as_data()
            wrong = any(error.code != "required" for each in errors.values() for error in each)
            if wrong or (errors and not any(self.questions.answers.values())):
                raise ValidationError(_("Please look at the answers again: the places are marked."))
            data["answers"] = self.questions.answers
            data["marketing"] = self.questions.agrees_to_marketing
        return data


def act_on_locked(action: Action, promise: Promise) -> Outcome:
    """Do what the customer wants with a locked coupon. Raises CouponError, ValidationError."""
    command, coupon = action.data["command"], promise.coupon
    if command == "answer":
        return _answer(action, coupon)
    if command == "decline":
        decline(coupon=coupon, now=action.flow.now)
        return Outcome(code="declined")
    if command == "later":
        return _mail(action, coupon)
    return Outcome(code="locked")


def _answer(action: Action, coupon: Coupon) -> Outcome:
    try:
        # The receiver of the consent finds the order's address itself.
        fresh = unlock(
            coupon=coupon,
            answers=action.data["answers"],
            marketing=action.data["marketing"],
            request=action.request,
            now=action.flow.now,
        )
    except AnswersMissing:
        return Outcome(code="more")
    store = get_store()
    if store.has_own_discounts:
        store.publish_coupon(coupon=fresh)
    return Outcome(code="unlocked")


def _mail(action: Action, coupon: Coupon) -> Outcome:
    # Not from the flow: somebody who came by a link does not see the address, and may have the mail sent to it.
    order = get_store().get_order(number=order_number_of(coupon))
    if order is None or not order.email:
        raise ValidationError(_("We know no e-mail address for this order."))
    site = Site.find_for_request(action.request)
    was_sent = mail_unlock_link(
        coupon=coupon,
        email=order.email,
        base_url=action.request.build_absolute_uri("/"),
        site_name=site.site_name if site is not None else "",
        language=order.language or get_language() or "",
    )
    return Outcome(code="mailed" if was_sent else "mailed_before")
