"""What this app needs to know of a shop's products, in its own words, and how it finds the shop's catalogue."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Protocol, cast

from django.utils.module_loading import import_string
from djmoney.money import Money

from .conf import app_settings
from .exceptions import NoCatalog


class Card(Protocol):
    """The facts of a product that a list shows. Any object with these attributes will do."""

    @property
    def ref(self) -> str: ...
    @property
    def title(self) -> str: ...
    @property
    def url(self) -> str: ...
    @property
    def price(self) -> Money | None: ...
    @property
    def image_url(self) -> str: ...
    @property
    def image_alt(self) -> str: ...
    @property
    def available(self) -> bool: ...
    @property
    def max_quantity(self) -> int | None: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class ProductCard:
    """A ready-made ``Card`` for shops that have no object of their own to give.

    ``price`` is for one piece, for this visitor, today; None means that it cannot be bought. ``max_quantity`` is the
    number of pieces one order may have, as far as stock goes; None means no limit.
    """

    ref: str
    title: str
    url: str
    price: Money | None
    image_url: str = ""
    image_alt: str = ""
    available: bool = True
    max_quantity: int | None = None


class Catalog(Protocol):
    """The one question asked of a shop."""

    def get_products(self, *, refs: Iterable[str]) -> Mapping[str, Card]:
        """Return the products that still exist, by reference, with at most one query, in one currency.

        ``refs`` come from outside: what the shop does not know, or cannot even read, it leaves out and never raises.
        """
        ...


def get_catalog() -> Catalog:
    """Return the shop's catalogue, resolved anew at each call.

    Raises NoCatalog if the setting is empty, ImportError if it names nothing.
    """
    if not app_settings.catalog:
        raise NoCatalog
    return resolve(import_string(app_settings.catalog))


def resolve(found: Any) -> Catalog:
    """Return the catalogue behind a class, an instance or a callable that makes one."""
    if isinstance(found, type) or not hasattr(found, "get_products"):
        found = found()
    return cast(Catalog, found)
