"""Registers the screens of ``coupons`` in the Wagtail admin, and what may be allowed to a group (CM-4)."""

from __future__ import annotations

from typing import Any

from django.utils.translation import gettext, ngettext
from django.utils.translation import gettext_lazy as _
from wagtail import hooks
from wagtail.log_actions import LogFormatter

from .admin.answers import ERASED, EXPORTED
from .admin.batches import EXPORTED as CODES_EXPORTED
from .admin.batches import IMPORTED as CODES_IMPORTED
from .admin.batches import ORDERED as CODES_ORDERED
from .admin.menu import CampaignGroup
from .admin.overview import SWITCHED
from .models import Campaign


@hooks.register("register_admin_viewset")
def register_campaigns() -> CampaignGroup:
    """The menu entry "Campaigns" with everything below it."""
    return CampaignGroup()


@hooks.register("register_log_actions")
def register_log_actions(actions: Any) -> None:
    """What the report "Site history" says of answers that were taken out or erased."""

    @actions.register_action(EXPORTED)
    class Exported(LogFormatter):
        label = _("Export answers")

        def format_message(self, log_entry: Any) -> str:
            count = log_entry.data.get("count", 0)
            return ngettext("Exported one answer", "Exported %(count)s answers", count) % {"count": count}

    @actions.register_action(ERASED)
    class Erased(LogFormatter):
        label = _("Erase answers")

        def format_message(self, log_entry: Any) -> str:
            count = log_entry.data.get("count", 0)
            return ngettext("Erased one answer", "Erased %(count)s answers", count) % {"count": count}


@hooks.register("register_log_actions")
def register_switch_log_action(actions: Any) -> None:
    """What the history of a campaign says of its switches: from which status to which."""

    @actions.register_action(SWITCHED)
    class Switched(LogFormatter):
        label = _("Switch a campaign")

        def format_message(self, log_entry: Any) -> str:
            labels = dict(Campaign.Status.choices)
            names = {key: str(labels.get(log_entry.data.get(key), "–")) for key in ("before", "after")}
            return gettext("Status changed from “%(before)s” to “%(after)s”") % names


@hooks.register("register_log_actions")
def register_code_log_actions(actions: Any) -> None:
    """What the report "Site history" says of codes in bulk: who made, imported or took them (CM-5)."""

    @actions.register_action(CODES_ORDERED)
    class Ordered(LogFormatter):
        label = _("Make codes")

        def format_message(self, log_entry: Any) -> str:
            count = log_entry.data.get("count", 0)
            return ngettext("Ordered one code", "Ordered %(count)s codes", count) % {"count": count}

    @actions.register_action(CODES_IMPORTED)
    class Imported(LogFormatter):
        label = _("Import codes")

        def format_message(self, log_entry: Any) -> str:
            count = log_entry.data.get("count", 0)
            return ngettext("Imported one code", "Imported %(count)s codes", count) % {"count": count}

    @actions.register_action(CODES_EXPORTED)
    class CodesExported(LogFormatter):
        label = _("Export codes")

        def format_message(self, log_entry: Any) -> str:
            count = log_entry.data.get("count", 0)
            return ngettext("Exported one code", "Exported %(count)s codes", count) % {"count": count}
