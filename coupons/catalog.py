"""The shop's catalogue, as far as the owner's form needs it: titles for references (``THANKYOU_COUPONS["CATALOG"]``)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol, cast, runtime_checkable

from django.utils.module_loading import import_string

from .conf import app_settings


@runtime_checkable
class Catalog(Protocol):
    """What a catalogue can be asked. References are the shop's own opaque texts, the same as in ``BasketLine``; any
    ``thankyou_flows`` store has both methods.
    """

    def get_categories(self) -> Sequence[tuple[str, str]]:
        """Return all categories as (reference, title)."""
        ...

    def search_products(self, *, text: str = "", limit: int = 200) -> Sequence[tuple[str, str]]:
        """Return at most ``limit`` products whose title contains ``text``, as (reference, title)."""
        ...


def get_catalog() -> Catalog | None:
    """Return the catalogue that ``CATALOG`` names, made anew, or ``None`` without one.

    Raises ``ImportError`` for a path that leads nowhere (system check E005 says so before).
    """
    path = app_settings.catalog
    return cast("Catalog", import_string(path)()) if path else None
