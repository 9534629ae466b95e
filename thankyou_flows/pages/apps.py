"""App configuration of the optional page type."""

from __future__ import annotations

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class ThankYouPagesConfig(AppConfig):
    name = "thankyou_flows.pages"
    label = "thankyou_flows_pages"
    verbose_name = _("Thank-you pages")
    default_auto_field = "django.db.models.BigAutoField"
