"""App configuration of ``coupons``."""

from __future__ import annotations

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class CouponsConfig(AppConfig):
    """Registered under a prefixed label, because shops often have a ``coupons`` app of their own."""

    name = "coupons"
    label = "thankyou_coupons"
    verbose_name = _("Coupons")
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        from . import checks, receivers  # noqa: F401
