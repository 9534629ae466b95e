"""A campaign at a glance: what it promises, its numbers, its course, and the switches."""

from __future__ import annotations

from typing import Any, Final

from django.db import transaction
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.urls import reverse
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.http import urlencode
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from django.views import View
from wagtail.admin import messages
from wagtail.admin.views import generic
from wagtail.admin.views.generic.permissions import PermissionCheckedMixin
from wagtail.log_actions import log
from wagtail.models import Site

from ..events import actor_of
from ..exceptions import CouponBusy
from ..ledger.limits import recount
from ..models import Campaign
from . import numbers
from .facts import facts_of
from .scheduling import find_warnings

#: What the log of the site calls it.
SWITCHED: Final = "thankyou_coupons.switch_campaign"

#: For each status, what can be done: the status that follows, the button, and the icon.
SWITCHES: dict[str, list[tuple[str, Any, str]]] = {
    Campaign.Status.DRAFT: [(Campaign.Status.RUNNING, _("Start"), "resubmit")],
    Campaign.Status.RUNNING: [(Campaign.Status.PAUSED, _("Pause"), "time"), (Campaign.Status.ENDED, _("End"), "cross")],
    Campaign.Status.PAUSED: [
        (Campaign.Status.RUNNING, _("Resume"), "resubmit"),
        (Campaign.Status.ENDED, _("End"), "cross"),
    ],
    Campaign.Status.ENDED: [(Campaign.Status.PAUSED, _("Take up again, paused"), "undo")],
}

_SAID = {
    Campaign.Status.RUNNING: _("“%(title)s” is running."),
    Campaign.Status.PAUSED: _("“%(title)s” is paused: its coupons are neither given out nor accepted."),
    Campaign.Status.ENDED: _("“%(title)s” has ended."),
}


def site_url(request: HttpRequest, path: str) -> str:
    """Return a whole address of the shop, as a customer would open it."""
    site = Site.find_for_request(request)
    return f"{site.root_url}{path}" if site else request.build_absolute_uri(path)


class CampaignOverview(generic.InspectView):
    """The first page of a campaign. Costs the same whatever the number of coupons."""

    template_name = "thankyou_coupons/admin/campaign.html"
    page_title = _("Overview")

    def get_fields(self) -> list[str]:
        """The page has a template of its own."""
        return []

    def get_breadcrumbs_items(self) -> list[dict[str, Any]]:
        items: list[dict[str, Any]] = [
            *self.breadcrumbs_items,
            {"url": reverse(self.index_url_name), "label": gettext("Campaigns")},
            {"url": "", "label": self.get_page_subtitle()},
        ]
        return items

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        campaign: Campaign = self.object
        counted = numbers.count(campaign=campaign)
        days = self._days()
        course = numbers.course(campaign=campaign, days=days)
        is_word = campaign.code_type == Campaign.CodeType.WORD
        return super().get_context_data(
            **kwargs,
            campaign=campaign,
            numbers=counted,
            course=course,
            plot=self._plot(course),
            days=days,
            spans=[
                (span, gettext("All") if not span else gettext("%(days)s days") % {"days": span})
                for span in numbers.SPANS
            ],
            is_word=is_word,
            asks=campaign.asks,
            uses_left=max(campaign.total_limit - counted.live, 0) if campaign.total_limit is not None else None,
            word_url=site_url(self.request, "/?" + urlencode({"coupon": campaign.word})) if is_word else "",
            switches=self._switches(),
            recount_url=self._recount_url(),
            links=self._links(is_word),
            facts=facts_of(campaign),
        )

    def _days(self) -> int:
        asked = self.request.GET.get("days", "")
        return int(asked) if asked in {str(span) for span in numbers.SPANS} else numbers.SPANS[0]

    def _plot(self, course: numbers.Course) -> dict[str, Any]:
        return {
            "days": [date_format(day.date, "SHORT_DATE_FORMAT") for day in course.days],
            "issued": [day.issued for day in course.days],
            "redeemed": [day.redeemed for day in course.days],
            "labels": {"issued": gettext("Given out"), "redeemed": gettext("Used by orders")},
        }

    def _switches(self) -> list[dict[str, Any]]:
        if not self.user_has_permission("change"):
            return []
        return [
            {
                "url": reverse("thankyou_coupons_campaign:switch", args=[self.object.pk, to]),
                "label": label,
                "icon": icon,
                "is_grave": to == Campaign.Status.ENDED,
            }
            for to, label, icon in SWITCHES[self.object.status]
        ]

    def _recount_url(self) -> str:
        """Return where uses are counted again, if there are some that a limit does not know of; else an empty text."""
        if not self.user_has_permission("change") or not numbers.has_uncounted(campaign=self.object):
            return ""
        return reverse("thankyou_coupons_campaign:recount", args=[self.object.pk])

    def _links(self, is_word: bool) -> list[dict[str, Any]]:
        """Return the next steps that this person may take."""
        user, pk = self.request.user, self.object.pk
        links: list[dict[str, Any]] = []
        if user.has_perm("thankyou_coupons.view_coupon"):
            url = reverse("thankyou_coupons_coupon:index") + f"?campaign={pk}"
            links.append({"url": url, "label": gettext("Its coupons"), "icon": "list-ul"})
        if user.has_perm("thankyou_coupons.view_answer") and self.object.asks:
            url = reverse("thankyou_coupons_answer:index") + f"?campaign={pk}"
            links.append({"url": url, "label": gettext("Its answers"), "icon": "openquote"})
        if user.has_perm("thankyou_coupons.issue_coupon") and not is_word and self.object.is_running():
            url = reverse("thankyou_coupons_coupon:issue") + f"?campaign={pk}"
            links.append({"url": url, "label": gettext("Give out one by hand"), "icon": "plus"})
            url = reverse("thankyou_coupons_batch:add") + f"?campaign={pk}"
            links.append({"url": url, "label": gettext("Make many codes"), "icon": "plus"})
        if user.has_perm("thankyou_coupons.export_coupon") and not is_word:
            url = reverse("thankyou_coupons_batch:export_campaign", args=[pk])
            links.append({"url": url, "label": gettext("Download its codes"), "icon": "download", "is_post": True})
        return links


class SwitchView(PermissionCheckedMixin, View):
    """Starts, pauses, resumes or ends a campaign."""

    model = Campaign
    permission_required = "change"
    http_method_names = ["post"]

    def post(self, request: HttpRequest, pk: int, to: str) -> HttpResponse:
        if to not in Campaign.Status.values:
            raise Http404
        with transaction.atomic():
            # Locked and read behind the lock: somebody else may have been quicker, and nothing but the status is saved.
            campaign = get_object_or_404(Campaign.objects.select_for_update(), pk=pk)
            before = campaign.status
            is_offered = to in {following for following, _label, _icon in SWITCHES[before]}
            if is_offered:
                campaign.status, campaign.saved_by = to, actor_of(request.user)
                campaign.save(update_fields=["status"])
                log(instance=campaign, action=SWITCHED, user=request.user, data={"before": before, "after": to})
        if is_offered:
            now = timezone.now()
            if to != Campaign.Status.RUNNING or campaign.ends_at is None or campaign.ends_at > now:
                messages.success(request, str(_SAID[Campaign.Status(to)]) % {"title": campaign})
            for text in find_warnings(campaign=campaign, end_before=campaign.ends_at, now=now):
                messages.warning(request, text)
        return redirect("thankyou_coupons_campaign:inspect", pk)


class RecountView(PermissionCheckedMixin, View):
    """Counts the uses that are out already under the campaign's limits; may be repeated."""

    model = Campaign
    permission_required = "change"
    http_method_names = ["post"]

    def post(self, request: HttpRequest, pk: int) -> HttpResponse:
        if count_uses(campaign=get_object_or_404(Campaign, pk=pk), request=request):
            messages.success(request, gettext("All uses so far are counted."))
        return redirect("thankyou_coupons_campaign:inspect", pk)


def count_uses(*, campaign: Campaign, request: HttpRequest) -> bool:
    """Count the uses so far under the limits that the campaign has now, and return whether that is done. What the
    database is too busy for is said, and can be done again from the campaign's page.
    """
    try:
        recount(campaign=campaign)
    except CouponBusy:
        messages.warning(
            request,
            gettext(
                "The campaign is saved, but not all uses so far are counted under its limits: too many orders were "
                "coming in. Please choose “Count the uses again” on the campaign’s page in a moment."
            ),
        )
        return False
    return True
