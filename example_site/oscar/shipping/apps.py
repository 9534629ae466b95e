"""Takes the place of ``oscar.apps.shipping`` in INSTALLED_APPS."""

from __future__ import annotations

from oscar.apps.shipping.apps import ShippingConfig as OscarShippingConfig


class ShippingConfig(OscarShippingConfig):
    name = "example_site.oscar.shipping"
