"""What this app registers with Wagtail; the screens themselves are elsewhere."""

from __future__ import annotations

from typing import Any

from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from wagtail import hooks
from wagtail.log_actions import LogFormatter

from .admin.menu import MailGroup
from .admin.messages import REQUEUED, STOPPED
from .admin.people import people_permissions, register_people_log_actions
from .admin.suppressions import ADDED, REMOVED
from .admin.switching import SWITCHED
from .choosers import CampaignChooserViewSet, campaign_chooser_viewset
from .models import Suppression


@hooks.register("register_admin_viewset")
def register_campaign_chooser() -> CampaignChooserViewSet:
    return campaign_chooser_viewset


@hooks.register("register_admin_viewset")
def register_mail() -> MailGroup:
    """The menu entry "Mail" with everything below it."""
    return MailGroup()


@hooks.register("register_log_actions")
def register_log_actions(actions: Any) -> None:
    """What the report "Site history" says of follow-ups, messages and suppressions."""

    @actions.register_action(SWITCHED)
    class Switched(LogFormatter):
        label = _("Switch a follow-up")

        def format_message(self, log_entry: Any) -> str:
            return gettext("Switched on") if log_entry.data.get("on") else gettext("Switched off")

    @actions.register_action(REMOVED)
    class Removed(LogFormatter):
        label = _("Remove a suppression")

        def format_message(self, log_entry: Any) -> str:
            reasons = dict(Suppression.Reason.choices)
            return gettext("Removed a suppression (%(reason)s)") % {
                "reason": reasons.get(log_entry.data.get("reason"), "–")
            }

    actions.register_action(REQUEUED, _("Send a message again"), _("Planned again"))
    actions.register_action(STOPPED, _("Stop a message"), _("Stopped"))
    actions.register_action(ADDED, _("Enter a suppression"), _("Entered by hand"))


hooks.register("register_permissions", people_permissions)
hooks.register("register_log_actions", register_people_log_actions)
