"""A list as a value and what can be done to it: pure functions, no request, no database, no prices."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace

from .conf import app_settings
from .exceptions import ListFull
from .kinds import CART, Kind, get_kind

#: What makes a line the same line: its product and its options.
Key = tuple[str, str]

#: Longest product or option reference in characters; a cookie has to hold fifty of them.
MAX_REF_LENGTH = 128


@dataclass(frozen=True, slots=True)
class Line:
    """So many pieces of one product. ``options`` is an opaque reference to a variant, often empty."""

    product_ref: str
    quantity: int = 1
    options: str = ""
    #: Moved out of the cart because it could not be bought; comes back with a word when it can.
    parked: bool = False

    @property
    def key(self) -> Key:
        """What makes a line the same line: the product and its options."""
        return self.product_ref, self.options


@dataclass(frozen=True, slots=True)
class Lines:
    """References and quantities, oldest line first, nothing else (D7, CK-1); and which kind of list it is."""

    lines: tuple[Line, ...] = ()
    kind: str = CART

    def __bool__(self) -> bool:
        return bool(self.lines)

    def __iter__(self) -> Iterator[Line]:
        return iter(self.lines)

    def __len__(self) -> int:
        """Number of lines; the number of pieces is ``count``."""
        return len(self.lines)

    @property
    def count(self) -> int:
        """Number of pieces."""
        return sum(line.quantity for line in self.lines)

    @property
    def policy(self) -> Kind:
        """What holds for this kind of list."""
        return get_kind(self.kind)

    def find(self, *, product_ref: str, options: str = "") -> Line | None:
        """Return the line of this product and these options, if there is one."""
        return next((line for line in self.lines if line.key == (product_ref, options)), None)

    def having(self, *lines: Line) -> Lines:
        """Return a list of this kind with these lines."""
        return Lines(lines, self.kind)


def is_ref(text: object, *, empty: bool = False) -> bool:
    """Say whether ``text`` can be a reference: short, printable (no NUL or lone surrogate reaches a database)."""
    return isinstance(text, str) and (bool(text) or empty) and len(text) <= MAX_REF_LENGTH and text.isprintable()


def key_text(key: Key) -> str:
    """Return the key of a line as one text, for a checkbox or a query string."""
    return json.dumps(key, ensure_ascii=False, separators=(",", ":"))


def parse_key(text: str) -> Key | None:
    """Return the key in such a text; None for whatever else somebody sends."""
    try:
        found = json.loads(text) if len(text) < 4 * MAX_REF_LENGTH else None
    except (ValueError, RecursionError):
        return None
    match found:
        case [str(ref), str(options)] if is_ref(ref) and is_ref(options, empty=True):
            return ref, options
    return None


def add(lines: Lines, *, product_ref: str, quantity: int = 1, options: str = "") -> Lines:
    """Return the list with ``quantity`` more pieces of a product; where quantities do not count, it is in there once.

    A list that drops its oldest takes the product as its newest. Raises ListFull if it would have more than the kind's
    ``max_items`` lines, or more than MAX_QUANTITY pieces in one line, and ValueError for a quantity below 1 or something
    that cannot be a reference.
    """
    if quantity < 1:
        raise ValueError("quantity must be 1 or more")
    if not is_ref(product_ref) or not is_ref(options, empty=True):
        raise ValueError("not a product reference")
    policy = lines.policy
    present = lines.find(product_ref=product_ref, options=options)
    if policy.drops_oldest:
        others = [line for line in lines if line is not present]
        return lines.having(*[*others, Line(product_ref, 1, options)][-policy.max_items :])
    if present is not None:
        more = present.quantity + quantity if policy.quantities else present.quantity
        return set_quantity(lines, product_ref=product_ref, quantity=more, options=options)
    if len(lines) >= policy.max_items:
        raise ListFull("lines", kind=lines.kind, limit=policy.max_items)
    quantity = quantity if policy.quantities else 1
    _check_quantity(lines, quantity)
    return lines.having(*lines, Line(product_ref, quantity, options))


def put(lines: Lines, line: Line) -> Lines:
    """Return the list with this line in it, with the larger quantity if it is there already: twice is once.

    A line that was parked and is put again stays parked only if both say so. Raises ListFull.
    """
    present = lines.find(product_ref=line.product_ref, options=line.options)
    if present is None:
        added = add(lines, product_ref=line.product_ref, quantity=line.quantity, options=line.options)
        return added.having(*added.lines[:-1], replace(added.lines[-1], parked=line.parked))
    quantity = max(present.quantity, line.quantity) if lines.policy.quantities else present.quantity
    merged = replace(present, quantity=quantity, parked=present.parked and line.parked)
    return lines.having(*(merged if each is present else each for each in lines))


def set_quantity(lines: Lines, *, product_ref: str, quantity: int, options: str = "") -> Lines:
    """Return the list with exactly ``quantity`` pieces in this line; 0 removes it.

    A line that is not there (removed in another tab) is not brought back: the list comes back as it was. Raises
    ListFull above MAX_QUANTITY, ValueError below 0.
    """
    if quantity < 0:
        raise ValueError("quantity must be 0 or more")
    if quantity == 0:
        return remove(lines, product_ref=product_ref, options=options)
    _check_quantity(lines, quantity)
    key = product_ref, options
    return lines.having(*(replace(line, quantity=quantity) if line.key == key else line for line in lines))


def remove(lines: Lines, *, product_ref: str, options: str = "") -> Lines:
    """Return the list without this line; removing twice is removing once."""
    return lines.having(*(line for line in lines if line.key != (product_ref, options)))


def without(lines: Lines, quantities: Mapping[Key, int]) -> Lines:
    """Return the list without so many pieces of these lines, and without a line of which none is left.

    What is not there (any more) is no mistake, and more than there is takes the line away. ValueError below 0.
    """
    if any(quantity < 0 for quantity in quantities.values()):
        raise ValueError("quantity must be 0 or more")
    rest = (replace(line, quantity=line.quantity - quantities.get(line.key, 0)) for line in lines)
    return lines.having(*(line for line in rest if line.quantity > 0))


def clear(lines: Lines) -> Lines:
    """Return an empty list of the same kind."""
    return lines.having()


def union(first: Lines, second: Lines) -> tuple[Lines, Lines]:
    """Return both lists as one of the first one's kind, and what of the second did not fit (SL-1).

    The lines of the first keep their places, those of the second follow; the larger quantity counts. Safe to repeat: the
    union with the same list again is the same. Where the kind drops its oldest, all fits.
    """
    left_out = []
    for line in second:
        try:
            first = put(first, line)
        except ListFull:
            left_out.append(line)
    return first, second.having(*left_out)


def _check_quantity(lines: Lines, quantity: int) -> None:
    if quantity > app_settings.max_quantity:
        raise ListFull("quantity", kind=lines.kind, limit=app_settings.max_quantity)
