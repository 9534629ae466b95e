"""App configuration of ``wishlists``."""

from __future__ import annotations

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class WishlistsConfig(AppConfig):
    """Registered under a prefixed label, because django-oscar owns ``wishlists``."""

    name = "wishlists"
    label = "thankyou_wishlists"
    verbose_name = _("Carts and lists")
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        from . import checks, receivers  # noqa: F401
