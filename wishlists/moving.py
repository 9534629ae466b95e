"""Saving for later and putting back: lines go from one single list of a visitor to another, and none gets lost.

``cards`` are the catalogue's answers for the products concerned, looked up by the caller once (CK-4). Pieces add up: two
in the cart and one saved are three. What a list cannot take stays where it was, and comes back with the reason.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Any

from django.db import transaction
from django.utils.translation import gettext_lazy as _

from .catalog import Card, ProductCard, accepts_options, choices_of
from .exceptions import ListError, ListFull
from .kinds import CART, SAVED, WISH, get_kind
from .lines import Key, Line, Lines, add, put, remove, set_quantity, without
from .lists import put_all
from .models import ProductList
from .pricing import is_buyable
from .shelf import Shelf


class Why(StrEnum):
    """Why a line stayed where it was."""

    GONE = "gone"  # the shop does not know the product any more
    UNAVAILABLE = "unavailable"  # known, but cannot be bought now
    CHOICE = "choice"  # it comes in several kinds, and none was chosen yet
    TAKEN = "taken"  # all that is in stock is in the cart already
    FULL = "full"  # the other list cannot take it
    REFUSED = "refused"  # the shop's own basket did not take it


#: In words for the customer; a full list has its own (``ListFull``).
REASONS: Mapping[Why, Any] = {
    Why.GONE: _("It is no longer sold."),
    Why.UNAVAILABLE: _("It cannot be ordered at the moment. We keep it here until it is available again."),
    Why.CHOICE: _("It comes in several kinds: choose one on its page."),
    Why.TAKEN: _("All that is in stock is in your cart already."),
    Why.REFUSED: _("It could not be added just now."),
}


@dataclass(frozen=True, slots=True)
class Stayed:
    """A line that did not move, and why."""

    line: Line
    why: Why
    message: Any


@dataclass(frozen=True, slots=True, kw_only=True)
class Moved:
    """What a move made of two lists. ``source`` and ``target`` are the lists as they are then."""

    source: Lines
    target: Lines
    #: The lines that went, as they were.
    lines: tuple[Line, ...] = ()
    stayed: tuple[Stayed, ...] = ()
    #: Lines of the target, as they are now, of which less is in stock than was asked for.
    cut: tuple[Line, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.lines)


# On values ------------------------------------------------------------------------------------------


def to_saved(source: Lines, target: Lines, *, keys: Collection[Key], parked: bool = False) -> Moved:
    """Return both lists with these lines of the first moved to the second, which may hold what cannot be bought now.

    ``parked`` lines wait there for the product; a line that the customer saved does not.
    """
    moved = Moved(source=source, target=target)
    for line in _named(source, keys):
        try:
            new = _join(moved.target, replace(line, parked=parked))
        except ListFull as error:
            moved = _stay(moved, line, Why.FULL, error)
            continue
        moved = _go(moved, line, new)
    return moved


def to_cart(source: Lines, target: Lines, *, keys: Collection[Key], cards: Mapping[str, Card]) -> Moved:
    """Return both lists with these lines of the first moved to the second, as far as they can be bought now (CK-4).

    The quantity is kept, and cut to what is in stock, of which other lines of the same product take their part.
    """
    moved = Moved(source=source, target=target)
    for line in _named(source, keys):
        card = cards.get(line.product_ref)
        why = hindrance(line, card)
        if card is None or why is not None:
            moved = _stay(moved, line, why or Why.GONE)
            continue
        room = _room(moved.target, line, card)
        if room is not None and room < 1:
            moved = _stay(moved, line, Why.TAKEN)
            continue
        try:
            new = _join(moved.target, replace(line, parked=False), most=room)
        except ListFull as error:
            moved = _stay(moved, line, Why.FULL, error)
            continue
        before = moved.target.find(product_ref=line.product_ref, options=line.options)
        after = new.find(product_ref=line.product_ref, options=line.options)
        is_cut = after is not None and after.quantity < line.quantity + (before.quantity if before else 0)
        moved = _go(moved, line, new)
        if is_cut and after is not None:
            moved = replace(moved, cut=(*moved.cut, after))
    return moved


def hindrance(line: Line, card: Card | None) -> Why | None:
    """Return why no piece of this line could be ordered now, whatever else is in the cart; None if one could."""
    if card is None:
        return Why.GONE
    if is_buyable(card) and not line.options and choices_of(card):
        return Why.CHOICE
    return None if is_buyable(card) and accepts_options(card, line.options) else Why.UNAVAILABLE


def can_be_bought(line: Line, card: Card | None) -> bool:
    """Say whether at least one piece could be ordered now, whatever else is in the cart."""
    return hindrance(line, card) is None


def parkable(cart: Lines, *, cards: Mapping[str, Card]) -> list[Line]:
    """Return the lines of a cart whose product is known, and cannot be bought now.

    What the shop does not know any more stays in the cart and is marked there: nobody can say that it comes back.
    """
    if not get_kind(SAVED).is_on:
        return []
    return [line for line in cart if hindrance(line, cards.get(line.product_ref)) is Why.UNAVAILABLE]


# On a shelf -----------------------------------------------------------------------------------------


def save_product(
    *, shelf: Shelf, product_ref: str, options: str = "", quantity: int = 1, cards: Mapping[str, Card] | None = None
) -> Lines:
    """Save a product for later, as from its page, and return the list. Twice is once: the larger quantity counts.

    A product that cannot be bought now may be saved too. Raises ListFull, TooFast, ValueError for what cannot be a
    reference; then nothing has changed.
    """
    lines = put(shelf.get(SAVED), Line(product_ref, quantity, options))
    shelf.save(lines, cards=cards)
    return lines


def save_for_later(*, shelf: Shelf, keys: Collection[Key], cards: Mapping[str, Card]) -> Moved:
    """Move lines of the cart to what is saved for later. What that list cannot take stays in the cart."""
    return _move(shelf, keys, cards, lambda keys: to_saved(shelf.get(CART), shelf.get(SAVED), keys=keys))


def park(*, shelf: Shelf, cards: Mapping[str, Card], but: Collection[Key] = ()) -> Moved:
    """Move what cannot be bought now from the cart to what is saved for later, where it waits for the product.

    ``cards`` are those of the whole cart; ``but`` names lines that stay. Safe to repeat.
    """
    cart = shelf.get(CART)
    keys = [line.key for line in parkable(cart, cards=cards) if line.key not in but]
    return _move(shelf, keys, cards, lambda keys: to_saved(cart, shelf.get(SAVED), keys=keys, parked=True))


def take_ordered(*, shelf: Shelf, quantities: Mapping[Key, int]) -> Lines:
    """Take what was ordered out of the cart, so many pieces of each line, and return what is left there.

    What the order was not about stays: what could not be ordered, and what came from another device meanwhile. Called
    once for each order, after it was placed; raises nothing that could be foreseen.
    """
    account = shelf.account
    if account is not None:
        with transaction.atomic():
            account.save(without(account.hold(CART), quantities))
        return shelf.get(CART)
    rest = without(shelf.get(CART), quantities)
    while True:
        try:
            shelf.save(rest)
        except ListFull:
            # Compression can make less longer, by a byte or two; and what was ordered must not be ordered twice.
            rest = rest.having(*rest.lines[:-1])
        else:
            return rest


def put_into_cart(*, shelf: Shelf, keys: Collection[Key], cards: Mapping[str, Card]) -> Moved:
    """Move what was saved for later into the cart, as far as it can be bought now. The rest stays saved."""
    return _move(shelf, keys, cards, lambda keys: to_cart(shelf.get(SAVED), shelf.get(CART), keys=keys, cards=cards))


def put_on_wish_list(*, shelf: Shelf, list: ProductList, keys: Collection[Key], cards: Mapping[str, Card]) -> Moved:
    """Move what an account saved for later to one of its wish lists (``lists.find_list``), all of it or nothing.

    Raises ProductList.DoesNotExist if that was deleted meanwhile.
    """
    source = shelf.get(SAVED)
    lines = tuple(_named(source, keys))
    moved = Moved(source=source, target=Lines((), WISH))
    account = shelf.account
    if not lines or account is None:
        return moved
    rest = source.having(*(line for line in source if line not in lines))
    known = kept_titles(shelf, lines, SAVED, cards=cards)
    try:
        with transaction.atomic():
            account.save(rest)
            put_all(list=list, lines=lines, cards=known, is_limited=False)
    except ListFull as error:
        return replace(moved, stayed=tuple(Stayed(line, Why.FULL, error.message) for line in lines))
    return replace(moved, source=rest, target=Lines(lines, WISH), lines=lines)


def kept_titles(shelf: Shelf, lines: Iterable[Line], kind: str, *, cards: Mapping[str, Card]) -> dict[str, Card]:
    """Return the cards, and for products that left the shop one with the title that an account's list has kept."""
    known = dict(cards)
    for line in lines:
        if line.product_ref not in known and (title := shelf.title(kind, line.product_ref, line.options)):
            known[line.product_ref] = ProductCard(
                ref=line.product_ref, title=title, url="", price=None, available=False
            )
    return known


# Inside ---------------------------------------------------------------------------------------------


def _named(source: Lines, keys: Collection[Key]) -> list[Line]:
    wanted = set(keys)
    return [line for line in source if line.key in wanted]


def _room(target: Lines, line: Line, card: Card) -> int | None:
    """Return how many pieces the line may have in the target as far as stock goes."""
    if card.max_quantity is None:
        return None
    others = (each.quantity for each in target if each.product_ref == line.product_ref and each.key != line.key)
    return card.max_quantity - sum(others)


def _join(target: Lines, line: Line, *, most: int | None = None) -> Lines:
    """Return the target with the pieces of this line added, up to ``most`` in the line. Raises ListFull.

    What was there and was saved by hand does not become parked by what joins it.
    """
    present = target.find(product_ref=line.product_ref, options=line.options)
    quantity = line.quantity + (present.quantity if present else 0)
    quantity = quantity if most is None else min(quantity, most)
    if present is None:
        target = add(target, product_ref=line.product_ref, quantity=quantity, options=line.options)
    else:
        target = set_quantity(target, product_ref=line.product_ref, quantity=quantity, options=line.options)
    parked = line.parked and (present is None or present.parked)
    return target.having(*(replace(each, parked=parked) if each.key == line.key else each for each in target))


def _go(moved: Moved, line: Line, target: Lines) -> Moved:
    source = remove(moved.source, product_ref=line.product_ref, options=line.options)
    return replace(moved, source=source, target=target, lines=(*moved.lines, line))


def _stay(moved: Moved, line: Line, why: Why, error: ListError | None = None) -> Moved:
    message = error.message if error is not None else REASONS[why]
    return replace(moved, stayed=(*moved.stayed, Stayed(line, why, message)))


def _move(
    shelf: Shelf, keys: Collection[Key], cards: Mapping[str, Card], plan: Callable[[Collection[Key]], Moved]
) -> Moved:
    """Do what is planned; if the target's cookie cannot hold all of it, with fewer lines. Return what was done.

    An account's list has no bytes to run out of: there ListFull means that another request filled it meanwhile.
    """
    moved = nothing = plan([])
    planned = plan(keys)
    if not planned:
        return planned
    cards = kept_titles(shelf, planned.lines, planned.source.kind, cards=cards)
    fewest = len(planned.lines) if shelf.account is not None else 1
    full: ListFull | None = None
    for number in range(len(planned.lines), fewest - 1, -1):
        moved = plan([line.key for line in planned.lines[:number]]) if full is not None else planned
        try:
            _keep(shelf, moved, cards)
        except ListFull as error:
            full = full or error
        else:
            break
    else:
        number, moved = 0, nothing
    return replace(moved, stayed=(*planned.stayed, *_left_over(planned, number, full)))


def _left_over(moved: Moved, number: int, full: ListFull | None) -> list[Stayed]:
    return [Stayed(line, Why.FULL, full.message) for line in moved.lines[number:]] if full is not None else []


def _keep(shelf: Shelf, moved: Moved, cards: Mapping[str, Card]) -> None:
    """Keep both lists or neither. Raises ListFull."""
    account = shelf.account
    if account is not None:
        with transaction.atomic():
            # Always the cart first, so that two moves never wait for each other. What is moved was there before: no
            # matter how much, it is one step of the customer's.
            for lines in sorted((moved.source, moved.target), key=lambda lines: lines.kind):
                account.save(lines, cards=cards, is_limited=False)
        return
    before = shelf.get(moved.target.kind)
    shelf.save(moved.target)
    try:
        shelf.save(moved.source)
    except ListFull:  # compression can make less longer, by a byte or two
        shelf.save(before)
        raise
