"""A money column whose migration does not depend on the installing project's currency settings."""

from __future__ import annotations

from typing import Any

from djmoney.models.fields import MoneyField


class PriceField(MoneyField):
    """An optional price with its currency, as the catalogue gave it.

    ``MoneyField`` writes the project's ``CURRENCIES`` and ``DEFAULT_CURRENCY`` into migrations, so that every project
    with other ones would see a missing migration in a package it does not own.
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        kwargs.setdefault("max_digits", 14)
        # Enough for every currency in use: three for the Gulf dinars.
        kwargs.setdefault("decimal_places", 3)
        kwargs.update(null=True, blank=True, default=None, default_currency=None)
        super().__init__(*args, **kwargs)

    def add_currency_field(self, cls: type, name: str) -> None:
        super().add_currency_field(cls, name)
        self._currency_field.choices = None

    def deconstruct(self) -> Any:
        name, path, args, kwargs = super().deconstruct()
        for setting in ("default_currency", "currency_choices", "default", "null", "blank"):
            kwargs.pop(setting, None)
        return name, path, args, kwargs
