"""Saving for later: the page, and the posts with which things come there and go back."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import wraps
from typing import Any

from django.contrib.auth.decorators import login_not_required
from django.http import Http404, HttpRequest, HttpResponse
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from ..baskets import get_basket, put_into_basket
from ..catalog import Card, accepts_options, get_catalog
from ..exceptions import ListFull, TooFast
from ..forms import ChangeForm, SaveForm, dom_id
from ..kinds import CART, SAVED, WISH
from ..lines import Key, Lines, parse_key, remove, set_quantity
from ..lists import find_list
from ..models import ProductList
from ..moving import Moved, park, put_on_wish_list, save_for_later, save_product
from ..notes import Note
from ..origin import same_origin_post
from ..shelf import Shelf, is_on, lists_of
from .answers import (
    SeeOther,
    add_list_error,
    as_json,
    back_with_note,
    errors_as_json,
    first_error,
    is_safe,
    post_or,
    tell,
    wants_json,
)
from .pages import Words, cart_page, saved_page

View = Callable[[HttpRequest], HttpResponse]


def needs(*kinds: str) -> Callable[[View], View]:
    """Let nobody find a page about kinds of lists that this shop has switched off."""

    def decorate(view: View) -> View:
        @wraps(view)
        def wrapper(request: HttpRequest) -> HttpResponse:
            if not all(is_on(kind) for kind in kinds):
                raise Http404
            return view(request)

        return wrapper

    return decorate


@login_not_required
@require_safe
@needs(SAVED)
def saved(request: HttpRequest) -> HttpResponse:
    """Show what is saved for later, at today's prices, and the note of what just happened."""
    return saved_page(request)


@login_not_required
@post_or("saved")
@same_origin_post
@needs(SAVED)
def saved_add(request: HttpRequest) -> HttpResponse:
    """Save ``product_ref`` for later, or with ``action=remove`` take it off; go to ``next`` or to what is saved.

    One query at most (is it a product?), for a guest no write and no session. Saving twice is saving once. What does not
    fit is said, and the list stays as it was.
    """
    shelf = lists_of(request)
    form = SaveForm(request.POST)
    if not form.is_valid():
        if "quantity" not in form.errors:
            return _saved_or_not(request, form, Note("unknown"))
        return errors_as_json(request, form) if wants_json(request) else _refuse(request, first_error(form))
    data = form.cleaned_data
    key = data["product_ref"], data["options"]
    before = shelf.get(SAVED)
    if data["action"] == "remove":
        card = _cards([key[0]]).get(key[0]) if wants_json(request) else None  # the page looks it up itself
        return _removed(request, form, before, key, card)
    cards = _cards([key[0]])
    card = cards.get(key[0])
    if card is None or not (key[1] == "" or accepts_options(card, key[1])):
        return _saved_or_not(request, form, Note("unknown"))
    try:
        save_product(shelf=shelf, product_ref=key[0], options=key[1], quantity=data["quantity"], cards=cards)
    except (ListFull, TooFast) as error:
        return _refuse(request, str(error))
    quantity = tell(request, "added", kind=SAVED, product_ref=key[0], options=key[1])
    return _saved_or_not(request, form, Note("saved", *key, quantity), card, is_first=not before)


@login_not_required
@post_or("saved")
@same_origin_post
@needs(SAVED)
def saved_change(request: HttpRequest) -> HttpResponse:
    """Set the quantity of something saved; 0 removes it. For a guest no query, no write, no session."""
    return _change(request, request.POST)


def _change(request: HttpRequest, sent: Mapping[str, Any]) -> HttpResponse:
    shelf = lists_of(request)
    form = ChangeForm(sent, auto_id=ChangeForm.ids(sent.get("product_ref", ""), sent.get("options", "")))
    valid = form.is_valid()
    key = form.cleaned_data.get("product_ref", ""), form.cleaned_data.get("options", "")
    lines = shelf.get(SAVED)
    card = _cards([key[0]]).get(key[0]) if key[0] and wants_json(request) else None
    if lines.find(product_ref=key[0], options=key[1]) is None:
        return _after(request, Note("missed", *key), card)
    if not valid:
        return errors_as_json(request, form) if wants_json(request) else saved_page(request, tried=form, status=422)
    quantity = form.cleaned_data["quantity"]
    if quantity == 0:
        return _removed(request, form, lines, key, card)
    try:
        shelf.save(set_quantity(lines, product_ref=key[0], quantity=quantity, options=key[1]))
    except ListFull as error:
        add_list_error(form, error, field="quantity")
        return errors_as_json(request, form) if wants_json(request) else saved_page(request, tried=form, status=422)
    tell(request, "changed", kind=SAVED, product_ref=key[0], options=key[1])
    return _after(request, Note("changed", *key, quantity), card)


@login_not_required
@post_or("saved")
@same_origin_post
@needs(SAVED)
def saved_move(request: HttpRequest) -> HttpResponse:
    """Put what was saved into the cart (``to=cart``) or, for accounts, on a wish list (``to``: its key).

    One (``put``, or ``product_ref`` and ``options``), several (``item``) or all (``all=1``). What cannot go stays saved,
    and the customer is told of each why. The button ``remove`` of a line takes it off instead.
    """
    shelf = lists_of(request)
    if "remove" in request.POST:
        ref, options = parse_key(request.POST["remove"]) or ("", "")
        return _change(request, {"product_ref": ref, "options": options, "quantity": "0"})
    keys = _keys(request, shelf.get(SAVED))
    to = request.POST.get("to", "")
    if to != CART:
        return _to_wish_list(request, shelf, to, keys)
    if not is_on(CART) and get_basket() is None:
        raise Http404
    has_cart = is_on(CART) and get_basket() is None
    cards = _cards([*(ref for ref, _options in keys), *(line.product_ref for line in shelf.cart if has_cart)])
    moved = put_into_basket(request=request, shelf=shelf, keys=keys, cards=cards)
    if has_cart:
        _tell_moved(request, park(shelf=shelf, cards=cards, but=keys))
    return _moved(request, keys, moved, cards, code="put" if has_cart else "in_basket", page=saved_page)


@login_not_required
@post_or("cart")
@same_origin_post
@needs(SAVED, CART)
def cart_save(request: HttpRequest) -> HttpResponse:
    """Move lines of the cart to what is saved for later: one, several or all, as in ``saved_move``."""
    shelf = lists_of(request)
    keys = _keys(request, shelf.cart)
    cards = _cards(line.product_ref for line in shelf.cart)
    moved = save_for_later(shelf=shelf, keys=keys, cards=cards)
    _tell_moved(request, park(shelf=shelf, cards=cards, but=keys))
    return _moved(request, keys, moved, cards, code="saved", page=cart_page)


def park_if_asked(request: HttpRequest) -> None:
    """Before a POST of the cart page, which showed something as parked: park it. Costs one query, and only there."""
    if "park" not in request.POST or not is_on(SAVED):
        return
    shelf = lists_of(request)
    ref, options = request.POST.get("product_ref", ""), request.POST.get("options", "")
    cards = _cards(line.product_ref for line in shelf.cart)
    _tell_moved(request, park(shelf=shelf, cards=cards, but=[(ref, options)]))


# Reading --------------------------------------------------------------------------------------------


def _cards(refs: object) -> Mapping[str, Card]:
    """Look products up: the one query of a POST."""
    wanted = [ref for ref in dict.fromkeys(refs) if ref]  # type: ignore[call-overload]
    return get_catalog().get_products(refs=wanted) if wanted else {}


def _keys(request: HttpRequest, lines: Lines) -> list[Key]:
    """Return which lines are meant; what is not on the list (any more) is left out."""
    if request.POST.get("all"):
        return [line.key for line in lines]
    if "put" in request.POST:  # the button of a line, whatever else is selected
        return [line.key for line in lines if line.key == parse_key(request.POST["put"])]
    named = {parse_key(text) for text in request.POST.getlist("item")}
    named.add((request.POST.get("product_ref", ""), request.POST.get("options", "")))
    return [line.key for line in lines if line.key in named]


# Answering ------------------------------------------------------------------------------------------


def _removed(
    request: HttpRequest, form: SaveForm | ChangeForm, lines: Lines, key: Key, card: Card | None
) -> HttpResponse:
    """Take something off what is saved; twice is once, and said.

    Whoever was logged in when the page was opened, and is not any more, learns that the account's list is as it was.
    """
    shelf = lists_of(request)
    present = lines.find(product_ref=key[0], options=key[1])
    if present is not None:
        shelf.save(remove(lines, product_ref=key[0], options=key[1]))
        tell(request, "removed", kind=SAVED, product_ref=key[0], options=key[1])
        note = Note("unsaved", *key, present.quantity)
    else:
        note = Note("not_here" if shelf.account is None else "missed", *key)
        if wants_json(request):
            return as_json(request, note.text(card))  # what was wanted is so: no 422
    to = form.cleaned_data.get("next") or ""
    if not wants_json(request) and is_safe(request, to):
        return _go(request, to, note)
    return _after(request, note, card)


def _saved_or_not(
    request: HttpRequest, form: SaveForm, note: Note, card: Card | None = None, *, is_first: bool = False
) -> HttpResponse:
    """Answer that something was saved, or is not to be had."""
    if wants_json(request):
        text = note.text(card)
        if is_first:
            text = f"{text}. {where_kept(lists_of(request))}"
        return as_json(request, text, status=422 if note.is_bad_news else 200)
    to = form.cleaned_data.get("next") or ""
    if note.is_bad_news or not is_safe(request, to):
        return _after(request, note, card)
    # The page there may come from a cache: the button has a message with this id that shows itself only as the target.
    return SeeOther(to if "#" in to else f"{to}#ty-saved-{dom_id(note.product_ref, note.options)}")


def where_kept(shelf: Shelf) -> str:
    """Return in plain words where saved things are, for the first time that somebody saves something."""
    if shelf.account is not None:
        return _("Kept in your account.")
    return _("Kept in a cookie on this device; nobody else sees it, we do not either.")


def _after(request: HttpRequest, note: Note, card: Card | None) -> HttpResponse:
    if wants_json(request):
        return as_json(request, note.text(card), status=422 if note.is_bad_news else 200)
    return _go(request, request.POST.get("next", ""), note)


def _go(request: HttpRequest, to: str, note: Note) -> HttpResponse:
    """Go to ``to`` if it is an address of this site, with the note if it is a page that shows notes."""
    ours = [reverse("thankyou_wishlists:saved")]
    if is_on(CART):
        ours.append(reverse("thankyou_wishlists:cart"))
    if to in ours or not is_safe(request, to) or note.is_bad_news:
        return back_with_note(request, to if to in ours else ours[0], note)
    return SeeOther(to)


def _refuse(request: HttpRequest, message: str) -> HttpResponse:
    if wants_json(request):
        return as_json(request, message, status=422)
    return saved_page(request, problem=message, status=422)


def _tell_moved(request: HttpRequest, moved: Moved) -> None:
    for line in moved.lines:
        tell(request, "moved", kind=moved.source.kind, product_ref=line.product_ref, options=line.options)
        if moved.target.kind in (CART, SAVED) and moved.target.kind != moved.source.kind:
            tell(request, "moved", kind=moved.target.kind, product_ref=line.product_ref, options=line.options)


def _moved(
    request: HttpRequest,
    keys: list[Key],
    moved: Moved,
    cards: Mapping[str, Card],
    *,
    code: str,
    page: Callable[..., HttpResponse],
) -> HttpResponse:
    """Answer a move: where all went well with a redirect and a note, else with the page and a word on each product."""
    _tell_moved(request, moved)
    if not keys:
        return _nothing(request, page)
    if not moved.stayed and (not moved.cut or (len(moved.lines) == 1 and code == "put")):
        line = moved.cut[0] if moved.cut else moved.lines[0]
        if moved.cut:
            note = Note("limited", *line.key, line.quantity)
        elif len(moved.lines) == 1:
            note = Note(code, *line.key, line.quantity)
        else:
            note = Note(f"{code}_many", quantity=len(moved.lines))
        return _after(request, note, cards.get(line.product_ref)) if wants_json(request) else _back(request, page, note)
    words = _words(request, moved, cards)
    status = 200 if moved else 422
    if wants_json(request):
        message = " ".join(f"{word.title}: {word.text}" for word in words)
        stayed = [[*stay.line.key, stay.why.value] for stay in moved.stayed]
        return as_json(request, message, status=status, stayed=stayed)
    return page(request, words=words, status=status)


def _back(request: HttpRequest, page: Callable[..., HttpResponse], note: Note) -> HttpResponse:
    to = request.POST.get("next", "") or reverse(f"thankyou_wishlists:{'cart' if page is cart_page else 'saved'}")
    return _go(request, to, note)


def _nothing(request: HttpRequest, page: Callable[..., HttpResponse]) -> HttpResponse:
    """Answer that nothing was selected, or that it went in another tab."""
    if any(request.POST.get(name) for name in ("product_ref", "item", "put")):
        note = Note("missing" if page is cart_page else "missed")
        return _after(request, note, None) if wants_json(request) else _back(request, page, note)
    message = _("Nothing was selected, so nothing was changed.")
    if wants_json(request):
        return as_json(request, message, status=422)
    return page(request, words=[Words("", message)], status=422)


def _words(request: HttpRequest, moved: Moved, cards: Mapping[str, Card]) -> list[Words]:
    shelf = lists_of(request)

    def title(ref: str, options: str) -> str:
        card = cards.get(ref)
        known = card.title if card is not None else shelf.title(moved.source.kind, ref, options)
        return known or _("A product that is no longer in the shop")

    words = [Words(title(*stay.line.key), str(stay.message)) for stay in moved.stayed]
    for line in moved.cut:
        text = _("Only %(quantity)s left, so that is what is in there now.") % {"quantity": line.quantity}
        words.append(Words(title(*line.key), text))
    return words


def _to_wish_list(request: HttpRequest, shelf: Shelf, to: str, keys: list[Key]) -> HttpResponse:
    """Put saved things on a wish list of the account's own; for everybody else there is no such list (SL-3)."""
    account = shelf.account
    wish_list = find_list(user=account.user, key=to) if account is not None and is_on(WISH) else None
    if wish_list is None:
        raise Http404
    cards = _cards(ref for ref, _options in keys)
    try:
        moved = put_on_wish_list(shelf=shelf, list=wish_list, keys=keys, cards=cards)
    except ProductList.DoesNotExist:
        raise Http404 from None
    for line in moved.lines:
        tell(
            request,
            "added",
            kind=WISH,
            product_ref=line.product_ref,
            options=line.options,
            product_list=wish_list,
            quantity=line.quantity,
        )
    return _moved(request, keys, moved, cards, code="listed", page=saved_page)
