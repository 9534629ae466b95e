"""The big switch of a follow-up: off by default, on after one question (EM-11)."""

from __future__ import annotations

from typing import Any, Final

from django import forms
from django.db import transaction
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404
from django.urls import reverse
from django.utils import timezone
from django.utils.functional import cached_property
from django.utils.translation import gettext, ngettext
from wagtail.admin import messages
from wagtail.log_actions import log

from coupons.admin.formpage import FormPage

from ..followups.triggers import get_trigger
from ..models import FollowUp, Message, MessageKind
from .followup_form import find_warnings

#: What the log of the site calls it.
SWITCHED: Final = "thankyou_flows.switch_follow_up"


def why_not_on(follow_up: FollowUp) -> str:
    """Return why a follow-up cannot be switched on, in words for its owner; empty if it can."""
    trigger = get_trigger(follow_up.trigger)
    if trigger is None:
        return gettext("What it waits for does not exist any more. Choose another “When” first.")
    if not follow_up.steps.exists():
        return gettext("It has no mail yet. Write one first.")
    if follow_up.kind == MessageKind.NEWSLETTER and follow_up.mailing_list_id is None:
        return gettext("It is a newsletter without a list. Choose the list first.")
    if follow_up.kind == MessageKind.TRANSACTIONAL and not trigger.may_be_transactional:
        return gettext("A mail about this is advertising: it cannot be transactional. Choose “Follow-up” first.")
    return ""


def switch(*, follow_up: FollowUp, on: bool, user: Any) -> bool:
    """Switch a follow-up on or off, note who did it, and return whether that changed anything. What happened before it
    was switched on plans nothing; switched off, what is planned is not sent.

    Raises ValueError if it cannot be switched on.
    """
    with transaction.atomic():
        # Locked and read behind the lock: somebody else may have been quicker, and nothing but the switch is saved.
        locked = FollowUp.objects.select_for_update().get(pk=follow_up.pk)
        if locked.is_on == on:
            return False
        if on and (problem := why_not_on(locked)):
            raise ValueError(problem)
        locked.is_on = on
        if on:
            locked.switched_on_at = timezone.now()
        locked.save(update_fields=["is_on", "switched_on_at"])
        log(instance=locked, action=SWITCHED, user=user, data={"on": on})
    return True


class SwitchView(FormPage):
    """Asks once, then switches."""

    model = FollowUp
    permission_required = "change"
    form_class = forms.Form
    header_icon = "mail"

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> Any:
        if kwargs["to"] not in {"on", "off"}:
            raise Http404
        return super().dispatch(request, *args, **kwargs)

    @cached_property
    def follow_up(self) -> FollowUp:
        return get_object_or_404(FollowUp, pk=self.kwargs["pk"])

    @property
    def is_turning_on(self) -> bool:
        return bool(self.kwargs["to"] == "on")

    def get(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        problem = why_not_on(self.follow_up) if self.is_turning_on else ""
        if problem:
            messages.error(
                request, gettext("“%(title)s” cannot be switched on.") % {"title": self.follow_up} + " " + problem
            )
            return HttpResponseRedirect(self.get_edit_url())
        return super().get(request, *args, **kwargs)

    def get_page_title(self) -> str:
        text = gettext("Switch “%(title)s” on") if self.is_turning_on else gettext("Switch “%(title)s” off")
        return text % {"title": self.follow_up}

    @property
    def submit_label(self) -> str:
        return gettext("Yes, switch it on") if self.is_turning_on else gettext("Yes, switch it off")

    def get_explanation(self) -> str:
        if self.is_turning_on:
            trigger = get_trigger(self.follow_up.trigger)
            mails = self.follow_up.steps.count()
            said = ngettext(
                "From now on, each time this happens, a mail is planned: %(when)s.",
                "From now on, each time this happens, %(count)s mails are planned: %(when)s.",
                mails,
            ) % {"when": trigger.label if trigger else self.follow_up.trigger, "count": mails}
            more = [text for _name, text in find_warnings(self.follow_up)]
            return " ".join(
                [said, gettext("What happened before stays as it is. You can switch it off at any time."), *more]
            )
        waiting = Message.objects.open().filter(follow_up=self.follow_up).count()
        said = gettext("Nothing new is planned from now on.")
        if waiting:
            said += " " + ngettext(
                "One mail is planned. It will not be sent.",
                "%(count)s mails are planned. They will not be sent.",
                waiting,
            ) % {"count": waiting}
        return said

    def get_back_url(self) -> str:
        return reverse("thankyou_flows_followup:index")

    def get_edit_url(self) -> str:
        return reverse("thankyou_flows_followup:edit", args=[self.follow_up.pk])

    def get_back_label(self) -> str:
        return gettext("Follow-ups")

    def form_valid(self, form: forms.Form) -> HttpResponse:
        try:
            switch(follow_up=self.follow_up, on=self.is_turning_on, user=self.request.user)
        except ValueError as error:
            messages.error(self.request, str(error))
            return HttpResponseRedirect(self.get_edit_url())
        text = gettext("“%(title)s” is on.") if self.is_turning_on else gettext("“%(title)s” is off.")
        messages.success(self.request, text % {"title": self.follow_up})
        return HttpResponseRedirect(self.get_back_url())
