"""Where the shop's parcels go."""

from __future__ import annotations

from django_countries import Countries


class ShippingCountries(Countries):
    """The European Union, its neighbours and the United Kingdom."""

    only = [
        "AT", "BE", "BG", "CH", "CY", "CZ", "DE", "DK", "EE", "ES", "FI", "FR", "GB", "GR", "HR", "HU", "IE", "IS",
        "IT", "LI", "LT", "LU", "LV", "MT", "NL", "NO", "PL", "PT", "RO", "SE", "SI", "SK",
    ]  # fmt: skip
