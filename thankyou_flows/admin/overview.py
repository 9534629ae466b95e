"""A follow-up at a glance: its numbers, its course, and the switch."""

from __future__ import annotations

from typing import Any

from django.urls import reverse
from django.utils.formats import date_format
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from wagtail.admin.views import generic

from ..conf import app_settings
from ..models import FollowUp
from . import numbers
from .followup_form import find_warnings
from .words import when_in_words


class FollowUpOverview(generic.InspectView):
    """The numbers of one follow-up. Costs the same whatever the number of messages."""

    template_name = "thankyou_flows/admin/followup.html"
    page_title = _("Numbers")

    def get_fields(self) -> list[str]:
        """The page has a template of its own."""
        return []

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        follow_up: FollowUp = self.object
        days = numbers.course(follow_up=follow_up)
        may_change = self.user_has_permission("change")
        return super().get_context_data(
            **kwargs,
            follow_up=follow_up,
            when=when_in_words(follow_up.trigger, follow_up.steps.all()),
            numbers=numbers.count(follow_up=follow_up),
            counts_clicks=app_settings.count_clicks,
            conversion_days=app_settings.conversion_days,
            reasons=numbers.reasons(follow_up=follow_up),
            busy=[day for day in reversed(days) if day.is_busy],
            plot=self._plot(days),
            warnings=[text for _name, text in find_warnings(follow_up)],
            switch_url=reverse(
                "thankyou_flows_followup:switch", args=[follow_up.pk, "off" if follow_up.is_on else "on"]
            )
            if may_change
            else "",
            links=self._links(may_change),
        )

    @staticmethod
    def _plot(days: list[numbers.Day]) -> dict[str, Any]:
        """Return the figures as the plot of the campaigns takes them: bars first, then the line."""
        return {
            "days": [date_format(day.date, "SHORT_DATE_FORMAT") for day in days],
            "issued": [day.sent for day in days],
            "redeemed": [day.converted for day in days],
            "labels": {"issued": gettext("Sent"), "redeemed": gettext("Ordered after it")},
        }

    def _links(self, may_change: bool) -> list[dict[str, Any]]:
        """Return the next steps that this person may take."""
        links: list[dict[str, Any]] = []
        pk = self.object.pk
        if may_change:
            edit = reverse("thankyou_flows_followup:edit", args=[pk])
            test = reverse("thankyou_flows_followup:test", args=[pk])
            links.append({"url": edit, "label": gettext("Edit"), "icon": "edit"})
            links.append({"url": test, "label": gettext("Send me a test"), "icon": "mail"})
        if self.request.user.has_perm("thankyou_flows.view_message"):
            url = reverse("thankyou_flows_message:index") + f"?follow_up={pk}"
            links.append({"url": url, "label": gettext("Its messages"), "icon": "list-ul"})
        return links
