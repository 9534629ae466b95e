"""Columns of the lists in the admin."""

from __future__ import annotations

from typing import Any

from django.utils.formats import date_format
from django.utils.timezone import localtime
from wagtail.admin.ui.tables import Column


class MomentColumn(Column):
    """A date and time that may lie ahead: Wagtail's own column calls every such one "Just now"."""

    def get_value(self, instance: Any) -> str:
        moment = super().get_value(instance)
        return date_format(localtime(moment), "SHORT_DATETIME_FORMAT") if moment is not None else ""
