"""What an earlier visit left on this device, and how it comes back: by a click of the customer's own (CK-5)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.shortcuts import resolve_url
from djmoney.money import Money

from .catalog import get_catalog, prices_at
from .conf import app_settings
from .device import DeviceShelf
from .kinds import SAVED, Kind, on_device
from .pricing import PricedLine, price_list
from .rows import Row, make_rows
from .shelf import Shelf, is_on


@dataclass(frozen=True, slots=True, kw_only=True)
class LeftRow:
    """One line that an earlier visit left, with what has changed since."""

    row: Row
    #: What it cost then, if the shop knows that and it is another price, in the same currency.
    price_before: Money | None = None

    @property
    def line(self) -> PricedLine:
        return self.row.line

    @property
    def is_cheaper(self) -> bool:
        """Whether it costs less than then."""
        now = self.line.unit_price
        return now is not None and self.price_before is not None and now < self.price_before


@dataclass(frozen=True, slots=True, kw_only=True)
class LeftList:
    """What an earlier visit left in one kind of list."""

    kind: Kind
    rows: tuple[LeftRow, ...]
    #: When that visit changed it last.
    at: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Returned:
    """How many products came back, and how many stay where they were left, because they did not fit."""

    number: int
    stayed: int


def left_lists(device: DeviceShelf) -> list[LeftList]:
    """Return line by line what an earlier visit left, with the differences to today; for who has asked for it (CK-5).

    One question to the catalogue about all products, and one for each list about the prices of that time.
    """
    found = {kind.name: device.left(kind.name) for kind in on_device() if device.left(kind.name)}
    refs = list(dict.fromkeys(line.product_ref for lines in found.values() for line in lines))
    catalog = get_catalog()
    cards = catalog.get_products(refs=refs) if refs else {}
    lists = []
    for kind in on_device():
        lines = found.get(kind.name)
        if not lines:
            continue
        at = device.left_at(kind.name)
        then = prices_at(catalog, refs=[ref for ref in refs if ref in cards], at=at) if at is not None else {}
        rows = make_rows(price_list(lines, cards), catalog)
        before = (_price_before(row.line, then) for row in rows)
        left = tuple(LeftRow(row=row, price_before=price) for row, price in zip(rows, before, strict=True))
        lists.append(LeftList(kind=kind, rows=left, at=at))
    return lists


def put_back(device: DeviceShelf) -> Returned:
    """Take all that an earlier visit left into the lists that it was left in."""
    before = device.count_left
    for kind in on_device():
        device.open(kind.name)
    return Returned(number=before - device.count_left, stayed=device.count_left)


def keep_for_later(device: DeviceShelf) -> Returned:
    """Take all that an earlier visit left to what is saved for later, the cart's lines too."""
    before = device.count_left
    device.open(SAVED)
    for kind in on_device():
        if kind.name != SAVED:
            device.open(kind.name, into=SAVED)
    return Returned(number=before - device.count_left, stayed=device.count_left)


def forget_left(device: DeviceShelf) -> int:
    """Forget what an earlier visit left; what is open stays. Return how many products that were."""
    before = device.count_left
    for kind in on_device():
        device.drop_left(kind.name)
    return before


def count_to_tell(shelf: Shelf) -> int:
    """Return how many products the note about an earlier visit is about: none while somebody is logged in, or if it was
    sent away."""
    if shelf.account is not None or shelf.device.is_hushed:
        return 0
    return shelf.device.count_left


def note_context(shelf: Shelf, *, next: str = "") -> dict[str, Any]:
    """Return what ``includes/left_note.html`` needs: a number only, until asked (CK-5)."""
    return {"count": count_to_tell(shelf), "can_save": is_on(SAVED), "next": next}


def device_context(shelf: Shelf, *, next: str = "") -> dict[str, Any]:
    """Return what is kept in this browser: how many products of each kind, and for how long."""
    device = shelf.device
    kinds = [(kind, len(device.get(kind.name)), len(device.left(kind.name))) for kind in on_device()]
    return {
        "lists": [(kind, number, left) for kind, number, left in kinds if number or left],
        "is_account": shelf.account is not None,
        "is_kept": device.is_kept,
        "can_keep": any(kind.keepable for kind, number, left in kinds if number or left),
        "days": app_settings.keep_days,
        "next": next,
    }


def is_quiet(path: str) -> bool:
    """Say whether nothing is asked on this page: below CHECKOUT_URL or one of QUIET_URLS, and there itself (CK-5)."""
    quiet = (resolve_url(url) for url in (app_settings.checkout_url, *app_settings.quiet_urls) if url)
    return any(path == url or path.startswith(url if url.endswith("/") else f"{url}/") for url in quiet)


def _price_before(line: PricedLine, then: Mapping[str, Money]) -> Money | None:
    before, now = then.get(line.line.product_ref), line.unit_price
    if before is None or now is None or before.currency != now.currency or before == now:
        return None
    return before
