"""What this app needs to know of a shop's products, in its own words, and how it finds the shop's catalogue."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple, Protocol, cast

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
    #: Pieces in stock, if the shop says how many.
    left: int | None = None
    #: What the customer chooses between, title by options reference; empty: there is nothing to choose.
    choices: Mapping[str, str] | None = None


class Catalog(Protocol):
    """The one question asked of a shop."""

    def get_products(self, *, refs: Iterable[str]) -> Mapping[str, Card]:
        """Return the products that still exist, by reference, with at most one query, in one currency.

        ``refs`` come from outside: what the shop does not know, or cannot even read, it leaves out and never raises.
        """
        ...


class Attribute(NamedTuple):
    """One fact of a product for a comparison or a data sheet: "Origin", "Uji, Japan"."""

    name: str
    value: str


class FullCatalog(Catalog, Protocol):
    """What a catalogue may answer beyond. Each method may be missing; what depends on it is then left out.

    Every method costs at most one query, whatever the number of products, and leaves out what it does not know.

    A card may have two more attributes. ``left``: the pieces in stock, for "only 2 left"; without it nothing is said
    (CD-5). ``choices``: what the product comes in, as titles by options reference ({"in-bags": "In bags"}), empty for a
    product with nothing to choose; then a cart takes no other options, and names them without another question. None, or
    no such attribute: the shop does not say, and options are its own affair.
    """

    def get_attributes(self, *, refs: Iterable[str]) -> Mapping[str, Sequence[Attribute]]:
        """Return the facts of products, in the order in which they should be read."""
        ...

    def get_option_titles(self, *, keys: Iterable[tuple[str, str]]) -> Mapping[tuple[str, str], str]:
        """Return what to call the options of products, by (product reference, options): "250 g, whole leaf"."""
        ...

    def get_lowest_prices(self, *, refs: Iterable[str], days: int = 30) -> Mapping[str, Money]:
        """Return the lowest price of each product in the ``days`` days before today's price came: what a reduction is
        compared with (Dir. 98/6/EC art. 6a). A product that had no other price before is left out.
        """
        ...

    def get_prices_at(self, *, refs: Iterable[str], at: datetime) -> Mapping[str, Money]:
        """Return what products cost at a moment: a guest's cookie has a date and no prices (CK-1)."""
        ...


def attributes_of(catalog: Catalog, *, refs: Iterable[str]) -> Mapping[str, Sequence[Attribute]]:
    """Return the facts of products, or nothing if the catalogue has none to give."""
    method = getattr(catalog, "get_attributes", None)
    return method(refs=list(refs)) if method is not None else {}


def option_titles_of(
    catalog: Catalog, *, keys: Iterable[tuple[str, str]], cards: Mapping[str, Card] | None = None
) -> Mapping[tuple[str, str], str]:
    """Return what to call options. What the catalogue does not name, is called by its reference.

    ``cards`` of this request answer first: if their choices name all of them, nothing more is asked.
    """
    keys = [key for key in dict.fromkeys(keys) if key[1]]
    named = {}
    for ref, options in keys:
        card = (cards or {}).get(ref)
        if card is not None and (title := (choices_of(card) or {}).get(options)):
            named[ref, options] = title
    unnamed = [key for key in keys if key not in named]
    method = getattr(catalog, "get_option_titles", None)
    if method is not None and unnamed:
        named.update(method(keys=unnamed))
    return {key: named.get(key) or key[1] for key in keys}


def choices_of(card: Card) -> Mapping[str, str] | None:
    """Return the titles of what a product comes in, by options reference; None if the shop does not say."""
    choices = getattr(card, "choices", None)
    return choices if isinstance(choices, Mapping) else None


def accepts_options(card: Card, options: str) -> bool:
    """Say whether a product comes in these options: one of its choices, or none where there is nothing to choose."""
    choices = choices_of(card)
    return True if choices is None else options in (choices or {""})


def lowest_prices_of(catalog: Catalog, *, refs: Iterable[str], days: int = 30) -> Mapping[str, Money]:
    """Return the lowest prices of the last days, or nothing if the shop does not keep them."""
    method = getattr(catalog, "get_lowest_prices", None)
    return method(refs=list(refs), days=days) if method is not None else {}


def prices_at(catalog: Catalog, *, refs: Iterable[str], at: datetime) -> Mapping[str, Money]:
    """Return what products cost at a moment, or nothing if the shop does not keep it."""
    method = getattr(catalog, "get_prices_at", None)
    return method(refs=list(refs), at=at) if method is not None else {}


def pieces_left(card: Card) -> int | None:
    """Return how many pieces are in stock, or None if the shop does not say."""
    left = getattr(card, "left", None)
    return left if isinstance(left, int) and not isinstance(left, bool) and left >= 0 else None


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
