"""A follow-up at a glance: its numbers, its course, and the switch."""

from __future__ import annotations

from dataclasses import dataclass
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


@dataclass(frozen=True, kw_only=True, slots=True)
class Measure:
    """One of the numbers that are shown day by day: what it is called, how it is counted, and how the plot draws it."""

    name: str
    label: str
    how: str
    #: Drawn before anybody ticks it: few lines are read more easily than many.
    is_drawn: bool = False


def measures() -> list[Measure]:
    """Return the numbers in the order of a mail's life; clicks only if COUNT_CLICKS (EM-13)."""
    within = gettext(
        "the customer placed an order within %(days)s days after it. That need not be because of it. It counts on the "
        "day of the order, and not at all once that order is cancelled or refunded."
    ) % {"days": app_settings.conversion_days}
    found = [
        Measure(
            name="planned",
            label=gettext("Planned"),
            how=gettext("all that were ever written for this follow-up, whatever became of them, on the day of that."),
        ),
        Measure(name="sent", label=gettext("Sent"), how=gettext("the mail server has taken it."), is_drawn=True),
        Measure(
            name="delivered",
            label=gettext("Delivered"),
            how=gettext("your mail provider has reported that it arrived; without such reports it stays 0."),
        ),
        Measure(
            name="clicked",
            label=gettext("Clicked"),
            how=gettext("your mail provider has reported a click on a link, the first one. We count none ourselves."),
        ),
        Measure(name="converted", label=gettext("Ordered after it"), how=within, is_drawn=True),
        Measure(name="left", label=gettext("Left by it"), how=gettext("the person unsubscribed by this mail.")),
    ]
    return [measure for measure in found if measure.name != "clicked" or app_settings.count_clicks]


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
        shown = measures()
        names = [measure.name for measure in shown]
        may_change = self.user_has_permission("change")
        return super().get_context_data(
            **kwargs,
            follow_up=follow_up,
            when=when_in_words(follow_up.trigger, follow_up.steps.all()),
            numbers=numbers.count(follow_up=follow_up),
            counts_clicks=app_settings.count_clicks,
            measures=shown,
            reasons=numbers.reasons(follow_up=follow_up),
            busy=[(day.date, [getattr(day, name) for name in names]) for day in reversed(days) if day.has_any(names)],
            plot=self._plot(days, shown),
            warnings=[text for _name, text in find_warnings(follow_up)],
            switch_url=reverse(
                "thankyou_flows_followup:switch", args=[follow_up.pk, "off" if follow_up.is_on else "on"]
            )
            if may_change
            else "",
            links=self._links(may_change),
        )

    @staticmethod
    def _plot(days: list[numbers.Day], shown: list[Measure]) -> dict[str, Any]:
        """Return the figures as ``<ty-plot>`` takes them."""
        return {
            "days": [date_format(day.date, "SHORT_DATE_FORMAT") for day in days],
            "choose": gettext("Show in the picture"),
            "series": [
                {
                    "label": measure.label,
                    "values": [getattr(day, measure.name) for day in days],
                    "kind": "bar" if measure.name == "sent" else "line",
                    "hidden": not measure.is_drawn,
                }
                for measure in shown
            ],
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
