"""App configuration of the example shop."""

from __future__ import annotations

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class ShopConfig(AppConfig):
    name = "example_site.shop"
    label = "shop"
    verbose_name = _("Shop")
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        """Say in words why the shop writes its own mails, for those who look at the outbox."""
        from thankyou_flows.mail.reasons import register_reason

        register_reason("order_confirmation", _("Order confirmation"))
        register_reason("confirm_address", _("Confirmation of an address"))
