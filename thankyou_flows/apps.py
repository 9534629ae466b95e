"""App configuration of ``thankyou_flows``: the place where the three apps are tied together."""

from __future__ import annotations

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class ThankYouFlowsConfig(AppConfig):
    name = "thankyou_flows"
    label = "thankyou_flows"
    verbose_name = _("Thank-you flows")
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        from . import checks, signal_handlers

        checks.register()
        signal_handlers.connect()
