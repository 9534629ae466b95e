"""Recently viewed products: the page, and the switch. Off unless the shop and then the customer turn it on."""

from __future__ import annotations

from typing import Any

from django.contrib.auth.decorators import login_not_required
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render, resolve_url
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from .. import notes, viewing
from ..availability import availability_text, is_available
from ..catalog import Card, accepts_options, get_catalog
from ..conf import app_settings
from ..exceptions import ListFull
from ..kinds import RECENT, get_kind
from ..lines import Line
from ..notes import Note
from ..origin import same_origin_post
from ..shelf import Shelf, is_on, lists_of
from .answers import SeeOther, as_json, back_with_note, is_safe, post_or, posted_line, wants_json


@login_not_required
@require_safe
def recent(request: HttpRequest) -> HttpResponse:
    """Show the products that were looked at, the last one first, with "stop and forget"; JSON for those who ask for it."""
    _check_is_on()
    if wants_json(request):
        return JsonResponse({"products": _products(lists_of(request))})
    return _page(request)


@login_not_required
@post_or("recent")
@same_origin_post
def recent_change(request: HttpRequest) -> HttpResponse:
    """Turn remembering on with the product at hand (``action=on``), remember one more (``view``), or stop and forget
    (``off``, or ``clear``, which is the same). Goes to ``next`` or to the page of what was viewed.

    ``view`` does nothing unless it is on: nothing is recorded without the customer's own click.
    """
    _check_is_on()
    shelf, action = lists_of(request), request.POST.get("action", "")
    if action in ("off", "clear"):
        viewing.stop(shelf=shelf)
        return _done(request, note=Note("recent_forgotten"))
    if action not in ("on", "view"):
        return _refused(request, _("That was not understood, so nothing was changed."))
    if action == "view" and not viewing.is_remembering(shelf):
        return _done(request)
    line = posted_line(request)
    card = get_catalog().get_products(refs=[line.product_ref]).get(line.product_ref) if line is not None else None
    if line is None or card is None or (line.options and not accepts_options(card, line.options)):
        return _refused(request, Note("unknown").text(None))
    if action == "view":
        viewing.view(shelf=shelf, card=card, options=line.options)
        return _done(request, seen=line.key)
    try:
        viewing.start(shelf=shelf, card=card, options=line.options)
    except ListFull as error:
        return _refused(request, str(error))
    return _done(request, seen=line.key)


def _check_is_on() -> None:
    if not is_on(RECENT):
        raise Http404


def _done(request: HttpRequest, *, note: Note | None = None, seen: tuple[str, str] | None = None) -> HttpResponse:
    if wants_json(request):
        message = note.text(None) if note is not None else ""
        return as_json(request, message, products=_products(lists_of(request), but=seen))
    to = request.POST.get("next", "")
    if is_safe(request, to):
        return SeeOther(to)
    page = reverse("thankyou_wishlists:recent")
    return back_with_note(request, page, note) if note is not None else SeeOther(page)


def _refused(request: HttpRequest, message: str) -> HttpResponse:
    if wants_json(request):
        return as_json(request, message, status=422)
    return _page(request, refused=message, status=422)


def _products(shelf: Shelf, *, but: tuple[str, str] | None = None) -> list[dict[str, Any]]:
    """Return what a script shows: the last ones first, at today's prices (CK-4), without the one being looked at."""
    return [
        {
            "title": card.title,
            "url": card.url,
            "image_url": card.image_url,
            "image_alt": card.image_alt,
            "price": str(card.price) if card.price is not None else "",
            "problem": problem,
        }
        for line, card, problem in _shown(shelf)
        if line.key != but
    ]


def _shown(shelf: Shelf) -> list[tuple[Line, Card, str]]:
    """Return the products with a word about those that cannot be had now; those that left the shop are left out."""
    lines = viewing.newest_first(shelf.get(RECENT))
    cards = get_catalog().get_products(refs=[line.product_ref for line in lines]) if lines else {}
    return [
        (line, card, "" if is_available(card, line.options) else availability_text(card, line.options))
        for line in lines
        if (card := cards.get(line.product_ref)) is not None
    ]


def _page(request: HttpRequest, *, refused: str = "", status: int = 200) -> HttpResponse:
    shelf = lists_of(request)
    note = notes.read(request) if not refused else None
    response = render(
        request,
        "thankyou_wishlists/recent.html",
        {
            "products": _shown(shelf),
            "is_remembering": viewing.is_remembering(shelf),
            "is_account": shelf.account is not None,
            "days": get_kind(RECENT).days,
            "status_text": refused or (note.text(None) if note is not None else ""),
            "is_bad_news": bool(refused),
            "shop_url": resolve_url(app_settings.shop_url),
        },
        status=status,
    )
    response.headers["X-Robots-Tag"] = "noindex"
    notes.drop(request, response)
    return response
