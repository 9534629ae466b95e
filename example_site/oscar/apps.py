"""App configuration of the Oscar example; Oscar itself has the label ``oscar``."""

from __future__ import annotations

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class OscarDemoConfig(AppConfig):
    name = "example_site.oscar"
    label = "oscar_demo"
    verbose_name = _("Oscar example")
