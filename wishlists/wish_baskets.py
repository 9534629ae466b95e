"""From a wish list into the cart: the product stays on the list, because a wish is fulfilled when its owner says so."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping

from django.http import HttpRequest

from .baskets import get_basket, hand_over
from .catalog import Card
from .kinds import CART, WISH
from .lines import Key, Line, Lines
from .moving import REASONS, Moved, Stayed, Why, to_cart
from .shelf import Shelf


def copy_into_basket(
    *, request: HttpRequest, shelf: Shelf, lines: Iterable[Line], keys: Collection[Key], cards: Mapping[str, Card]
) -> Moved:
    """Put these of a wish list's lines into the shop's basket if it has its own, else into our cart (CK-4).

    As far as they can be bought now; the rest comes back with the reason. Raises ListFull if the cart cannot keep them.
    """
    source = Lines(tuple(lines), WISH)
    basket = get_basket()
    if basket is None:
        moved = to_cart(source, shelf.get(CART), keys=keys, cards=cards)
        if moved:
            shelf.save(moved.target, cards=cards)
        return moved
    wanted = set(keys)
    gone, stayed = [], []
    for line in (line for line in source if line.key in wanted):
        why = hand_over(basket, request, line, cards.get(line.product_ref))
        if why is None:
            gone.append(line)
        else:
            stayed.append(Stayed(line, why, REASONS[why]))
    return Moved(source=source, target=Lines(kind=CART), lines=tuple(gone), stayed=tuple(stayed))


def needs_choice(moved: Moved) -> bool:
    """Say whether something stayed because nobody has chosen yet what it comes in."""
    return any(each.why is Why.CHOICE for each in moved.stayed)


def carted_code(moved: Moved) -> str:
    """Return the note about one product that was to go into the cart."""
    if moved.lines:
        return "wish_carted"
    return "wish_choice" if needs_choice(moved) else "wish_not_carted"
