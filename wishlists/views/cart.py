"""The cart's pages and posts."""

from __future__ import annotations

from django.contrib.auth.decorators import login_not_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_safe

from ..catalog import Card, accepts_options, choices_of, get_catalog
from ..exceptions import ListFull, TooFast
from ..forms import AddForm, ChangeForm, dom_id
from ..kinds import CART
from ..lines import Lines, add, remove, set_quantity
from ..notes import Note
from ..origin import same_origin_post
from ..pricing import is_buyable
from ..shelf import lists_of
from .answers import (
    SeeOther,
    add_list_error,
    as_json,
    back_with_note,
    errors_as_json,
    is_safe,
    post_or,
    tell,
    wants_json,
)
from .pages import cart_page
from .saved import needs, park_if_asked


@login_not_required
@require_safe
@needs(CART)
def cart(request: HttpRequest) -> HttpResponse:
    """Show the cart, at today's prices, and the note of what just happened."""
    return cart_page(request)


@login_not_required
@post_or("cart")
@same_origin_post
@needs(CART)
def cart_add(request: HttpRequest) -> HttpResponse:
    """Put ``quantity`` pieces of ``product_ref`` into the cart; go to ``next`` or to the cart.

    One query (is it a product that can be bought?), no write, no session. What does not fit is said beside the field,
    and the cart stays as it was.
    """
    shelf = lists_of(request)
    form = AddForm(request.POST, auto_id="ty-add-%s")
    card = _card(form)
    if not is_buyable(card):
        return _done(request, form, Note("gone"), card)
    form.offer(choices_of(card))
    if not form.is_valid() or not _has_chosen(form, card):
        return _add_page(request, form, card)
    data = form.cleaned_data
    line = {"product_ref": data["product_ref"], "options": data["options"]}
    try:
        new = add(shelf.cart, quantity=data["quantity"], **line)
        new, limited = _within_stock(new, card, **line)
        shelf.save(new, cards=_known(card))
    except (ListFull, TooFast) as error:
        add_list_error(form, error, field=error.code)
        return _add_page(request, form, card)
    quantity = tell(request, "added", kind=CART, **line)
    return _done(request, form, Note("limited" if limited else "added", quantity=quantity, **line), card)


@login_not_required
@post_or("cart")
@same_origin_post
@needs(CART)
def cart_change(request: HttpRequest) -> HttpResponse:
    """Set the quantity of a line; 0 removes it. Go to ``next`` or to the cart.

    At most one query (how many are there?), no write, no session; one more from a page that shows something to park.
    """
    park_if_asked(request)
    shelf = lists_of(request)
    ids = ChangeForm.ids(request.POST.get("product_ref", ""), request.POST.get("options", ""))
    form = ChangeForm(request.POST, auto_id=ids)
    valid = form.is_valid()
    line = {name: form.cleaned_data.get(name, "") for name in ("product_ref", "options")}
    present = shelf.cart.find(**line)
    if present is None:
        return _done(request, form, Note("missing", **line))
    if not valid:
        return _change_page(request, form)
    quantity = form.cleaned_data["quantity"]
    if quantity == 0:
        card = _card(form) if wants_json(request) else None  # the page looks it up itself
        shelf.save(remove(shelf.cart, **line))
        tell(request, "removed", kind=CART, **line)
        return _done(request, form, Note("removed", quantity=present.quantity, **line), card)
    card = _card(form)
    new, limited = _within_stock(set_quantity(shelf.cart, quantity=quantity, **line), card, **line)
    try:
        shelf.save(new, cards=_known(card))
    except ListFull as error:
        add_list_error(form, error, field="quantity")
        return _change_page(request, form)
    quantity = tell(request, "changed", kind=CART, **line)
    return _done(request, form, Note("limited" if limited else "changed", quantity=quantity, **line), card)


def _card(form: AddForm | ChangeForm) -> Card | None:
    """Return the product that the form names, if the catalogue knows it: the one query of a POST."""
    form.is_valid()
    ref = form.cleaned_data.get("product_ref")
    return get_catalog().get_products(refs=[ref]).get(ref) if ref and "options" not in form.errors else None


def _has_chosen(form: AddForm, card: Card) -> bool:
    """Say whether the product comes in these options; if not, the form asks for one of them."""
    if not accepts_options(card, form.cleaned_data["options"]):
        form.add_error("options" if choices_of(card) else None, _("Please choose which one you would like."))
    return form.is_valid()


def _known(card: Card | None) -> dict[str, Card]:
    return {card.ref: card} if card is not None else {}


def _within_stock(cart: Lines, card: Card | None, *, product_ref: str, options: str) -> tuple[Lines, bool]:
    """Return the cart with this line cut to what is in stock, and whether that made it smaller."""
    line = cart.find(product_ref=product_ref, options=options)
    if line is None or card is None or not card.max_quantity or line.quantity <= card.max_quantity:
        return cart, False
    return set_quantity(cart, product_ref=product_ref, quantity=card.max_quantity, options=options), True


def _done(request: HttpRequest, form: AddForm | ChangeForm, note: Note, card: Card | None = None) -> HttpResponse:
    """Answer a POST: JSON if asked for, else a redirect that brings the note along."""
    if wants_json(request):
        return as_json(request, note.text(card), status=422 if note.code in {"gone", "missing"} else 200)
    to = form.cleaned_data.get("next") or ""
    if is_safe(request, to) and not note.is_bad_news:
        # The page there may come from a cache, so the good news travels as a fragment: the add form has a message with
        # this id that shows itself only as the target.
        if note.code == "added" and "#" not in to:
            # A form that lets the customer choose is one form for all choices.
            options = "" if card is not None and choices_of(card) else note.options
            to += f"#ty-added-{dom_id(note.product_ref, options)}"
        return SeeOther(to)
    return back_with_note(request, reverse("thankyou_wishlists:cart"), note)


def _change_page(request: HttpRequest, form: ChangeForm) -> HttpResponse:
    if wants_json(request):
        return errors_as_json(request, form)
    return cart_page(request, tried=form, status=422)


def _add_page(request: HttpRequest, form: AddForm, card: Card) -> HttpResponse:
    """Answer a refused "add to cart": the same form again, with what was typed and the reason beside it."""
    if wants_json(request):
        return errors_as_json(request, form)
    return render(request, "thankyou_wishlists/add.html", {"form": form, "card": card}, status=422)
