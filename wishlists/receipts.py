"""What a merge did, as values: how a receipt's JSON is written and read, and how a receipt is told to the customer."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import Any

from django.db.models import Field

from .kinds import KINDS
from .lines import Line, Lines
from .models import ListItem, MergeReceipt

#: The columns that customers change, by which a row is the same as the merge left it.
CHANGED_BY_HAND = ("id", "quantity", "parked", "note", "priority")

Row = Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """What happened to one product on one list: its row before and after, None for no row."""

    product_ref: str
    options: str
    title: str
    before: Row | None
    after: Row | None
    #: The customer has changed the line since, so the undo left it as it is.
    stays: bool = False
    #: It has left the account's list since (bought, moved, removed), so the undo does not bring it back to the device.
    gone: bool = False

    @property
    def key(self) -> tuple[str, str]:
        return self.product_ref, self.options

    @property
    def is_new(self) -> bool:
        """Whether the product was not on the list before."""
        return self.before is None

    @property
    def is_more(self) -> bool:
        """Whether it was, with fewer pieces."""
        return self.before is not None and self.after is not None and self.after["quantity"] > self.before["quantity"]

    def is_as_left(self, row: Row | None) -> bool:
        """Say whether a row of today is what the merge made of it."""
        if row is None or self.after is None:
            return row is None and self.after is None
        return all(row[name] == self.after[name] for name in CHANGED_BY_HAND)


@dataclass(frozen=True, slots=True, kw_only=True)
class ListChanges:
    """What happened to one list. ``changed_at`` is its time stamp before; None if the merge made the list."""

    changed_at: datetime | None
    changes: tuple[Change, ...]

    def __iter__(self) -> Iterator[Change]:
        return iter(self.changes)


def freeze(item: ListItem) -> Row:
    """Return all columns of a row as JSON can hold them, to the last digit and microsecond."""
    return {column.attname: _plain(getattr(item, column.attname)) for column in _columns()}


def thaw(row: Row) -> ListItem:
    """Return the item whose row was frozen, unsaved."""
    item = ListItem()
    for column in _columns():
        if column.attname in row:
            value = row[column.attname]
            # Past the price's descriptor, which wants an amount and its currency at once.
            item.__dict__[column.attname] = column.to_python(value) if value is not None else None
    return item


def _columns() -> list[Field[Any, Any]]:
    return list(ListItem._meta.concrete_fields)


def _plain(value: Any) -> Any:
    if isinstance(value, datetime):
        return value.isoformat()
    amount = getattr(value, "amount", value)  # of money; the currency is a column of its own
    return str(amount) if isinstance(amount, Decimal) else amount


def changes_as_json(lists: Mapping[str, ListChanges]) -> dict[str, Any]:
    """Return what ``MergeReceipt.changes`` holds."""
    return {
        kind: {
            "changed_at": found.changed_at.isoformat() if found.changed_at else None,
            "rows": [
                [each.product_ref, each.options, each.title, each.before, each.after, each.stays + 2 * each.gone]
                for each in found
            ],
        }
        for kind, found in lists.items()
    }


def changes_of(receipt: MergeReceipt) -> dict[str, ListChanges]:
    """Return what a merge did, by kind of list, in the order in which customers are shown them."""
    found = {}
    for kind in KINDS:
        if kind in receipt.changes:
            value = receipt.changes[kind]
            at = value["changed_at"]
            found[kind] = ListChanges(
                changed_at=datetime.fromisoformat(at) if at else None,
                changes=tuple(
                    Change(
                        product_ref=ref,
                        options=options,
                        title=title,
                        before=before,
                        after=after,
                        stays=bool(fate & 1),
                        gone=bool(fate & 2),
                    )
                    for ref, options, title, before, after, fate in value["rows"]
                ),
            )
    return found


def lines_as_json(lists: Mapping[str, Lines]) -> dict[str, Any]:
    """Return what ``MergeReceipt.guest`` and ``left_out`` hold."""
    return {
        kind: [[line.product_ref, line.quantity, line.options, line.parked] for line in lines]
        for kind, lines in lists.items()
        if lines
    }


def lines_from_json(value: Mapping[str, Any]) -> dict[str, Lines]:
    """Return the lists in such a value, in the order in which customers are shown them."""
    return {kind: Lines(tuple(Line(*row) for row in value[kind]), kind) for kind in KINDS if kind in value}


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """One product on a receipt."""

    product_ref: str
    options: str
    title: str
    quantity: int
    option_title: str = ""
    #: Pieces that the account had of it.
    before: int = 0


@dataclass(slots=True, kw_only=True)
class Section:
    """What a receipt says about one list."""

    kind: str
    new: list[Told] = field(default_factory=list)
    more: list[Told] = field(default_factory=list)
    present: list[Told] = field(default_factory=list)
    left_out: list[Told] = field(default_factory=list)
    #: After an undo: what stayed, because the customer had changed it since.
    stays: list[Told] = field(default_factory=list)

    @property
    def label(self) -> Any:
        return KINDS[self.kind].label


def tell_receipt(
    receipt: MergeReceipt, *, titles: Mapping[str, str], names: Mapping[tuple[str, str], str]
) -> list[Section]:
    """Return what a receipt says, list by list: every one of the guest's things in exactly one place.

    ``titles`` are the catalogue's of today, by reference; what the shop no longer sells has that of the day of the merge.
    ``names`` are those of the options.
    """
    changes, left_out = changes_of(receipt), lines_from_json(receipt.left_out)
    sections = []
    for kind, lines in lines_from_json(receipt.guest).items():
        section = Section(kind=kind)
        done = {change.key: change for change in changes[kind]} if kind in changes else {}
        missing = {line.key for line in left_out.get(kind, ())}
        for line in lines:
            change = done.get(line.key)
            kept = change.after if change is not None else None
            told = Told(
                product_ref=line.product_ref,
                options=line.options,
                title=titles.get(line.product_ref) or (change.title if change is not None else ""),
                quantity=kept["quantity"] if kept is not None else line.quantity,
                option_title=names.get(line.key, ""),
                before=change.before["quantity"] if change is not None and change.before is not None else 0,
            )
            if line.key in missing:
                section.left_out.append(told)
            elif change is not None and change.is_new:
                section.new.append(told)
            elif change is not None and change.is_more:
                section.more.append(told)
            else:
                section.present.append(told)
            if change is not None and change.stays:
                section.stays.append(told)
        sections.append(section)
    return sections
