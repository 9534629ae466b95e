"""What this browser keeps: for how long, what an earlier visit left, and how to get rid of it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from django.contrib.auth.decorators import login_not_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render, resolve_url
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from .. import notes
from ..asking import merge_url, note_forgotten
from ..conf import app_settings
from ..givers import forget_giver
from ..kinds import CART, SAVED
from ..notes import Note
from ..origin import same_origin_post
from ..returning import Returned, device_context, forget_left, keep_for_later, left_lists, put_back
from ..shelf import Shelf, is_on, lists_of
from .answers import SeeOther, as_json, back_with_note, is_safe, tell, wants_json
from .private import private

#: Pages that show a note.
OURS: Final = ("cart", "saved", "device", "left")


@login_not_required
@private
@require_http_methods(["GET", "HEAD", "POST"])
@same_origin_post
def device(request: HttpRequest) -> HttpResponse:
    """Show what is kept on this device. POST: ``action=keep``, ``session``, ``forget`` or ``hush``; go to ``next``.

    No query for a guest, no write, no session.
    """
    shelf = lists_of(request)
    if request.method != "POST":
        return _device_page(request)
    match request.POST.get("action", ""):
        case "keep":
            shelf.device.keep(True)
            note = Note("device_kept" if shelf.device.is_kept else "device_empty", quantity=app_settings.keep_days)
        case "session":
            shelf.device.keep(False)
            note = Note("device_session" if not shelf.device.is_empty else "device_empty")
        case "forget":
            shelf.device.forget_all()
            note_forgotten(shelf.session)
            note = Note("device_forgotten")
        case "hush":
            shelf.device.hush()
            note = Note("left_hushed")
        case _:
            return _refuse(request, _device_page)
    response = _after(request, note, reverse("thankyou_wishlists:device"))
    if note.code == "device_forgotten":
        forget_giver(request, response)
    return response


@login_not_required
@private
@require_http_methods(["GET", "HEAD", "POST"])
@same_origin_post
def left(request: HttpRequest) -> HttpResponse:
    """Show line by line what an earlier visit left on this device, with today's prices and stock (CK-4, CK-5).

    POST: ``action=open`` puts it back, ``save`` keeps it for later, ``forget`` leaves nothing of it; go to ``next``. What
    does not fit stays, and the customer is told. Whoever is logged in is asked by ``merge`` instead.
    """
    shelf = lists_of(request)
    action = request.POST.get("action", "")
    if request.method == "POST" and action == "forget":
        note = Note("left_forgotten", quantity=forget_left(shelf.device))
        return _after(request, note, reverse("thankyou_wishlists:left"))
    if shelf.account is not None:
        return _ask_first(request)
    if request.method != "POST":
        return _left_page(request)
    if action == "open":
        return _came_back(request, put_back(shelf.device), "left_opened")
    if action == "save" and is_on(SAVED):
        before = {line.key for line in shelf.device.get(SAVED)}
        returned = keep_for_later(shelf.device)
        _tell_saved(request, shelf, before)
        return _came_back(request, returned, "left_saved")
    return _refuse(request, _left_page)


# Answering ------------------------------------------------------------------------------------------


def _came_back(request: HttpRequest, returned: Returned, code: str) -> HttpResponse:
    """Say how many products came back; if some did not fit, go where they stay."""
    if returned.stayed:
        note = Note(f"{code}_in_part", quantity=returned.number)
        return _after(request, note, reverse("thankyou_wishlists:left"))
    if not returned.number:
        return _after(request, Note("left_nothing"), reverse("thankyou_wishlists:left"))
    shelf = lists_of(request)
    is_cart = code == "left_opened" and is_on(CART) and bool(shelf.cart)
    page = CART if is_cart or not is_on(SAVED) else SAVED
    return _after(request, Note(code, quantity=returned.number), reverse(f"thankyou_wishlists:{page}"))


def _after(request: HttpRequest, note: Note, page: str) -> HttpResponse:
    """Answer a POST: JSON if asked for; else go to ``next``, or to ``page`` if there is something to explain."""
    if wants_json(request):
        return as_json(request, note.text(None), url=page)
    to = request.POST.get("next", "")
    if note.is_bad_news or not is_safe(request, to):
        to = page
    shows_notes = to.partition("?")[0] in {reverse(f"thankyou_wishlists:{name}") for name in OURS}
    return back_with_note(request, to, note) if shows_notes and note.code != "left_hushed" else SeeOther(to)


def _ask_first(request: HttpRequest) -> HttpResponse:
    """Lead somebody who is logged in to the question what should become of a guest's things (SL-1)."""
    page = merge_url(request) or reverse("thankyou_wishlists:device")
    if request.method == "POST" and wants_json(request):
        message = _("You are logged in now. Please say first what should become of the things on this device.")
        return as_json(request, message, status=422, url=page)
    return SeeOther(page)


def _refuse(request: HttpRequest, page: Callable[..., HttpResponse]) -> HttpResponse:
    problem = _("This cannot be done here, so nothing was changed.")
    if wants_json(request):
        return as_json(request, problem, status=422)
    return page(request, problem=problem, status=422)


def _tell_saved(request: HttpRequest, shelf: Shelf, before: set[tuple[str, str]]) -> None:
    for line in shelf.device.get(SAVED):
        if line.key not in before:
            tell(request, "moved", kind=SAVED, product_ref=line.product_ref, options=line.options)


# Pages ----------------------------------------------------------------------------------------------


def _device_page(request: HttpRequest, *, problem: str = "", status: int = 200) -> HttpResponse:
    context = device_context(lists_of(request), next=reverse("thankyou_wishlists:device"))
    return _page(request, "thankyou_wishlists/device.html", context, problem=problem, status=status)


def _left_page(request: HttpRequest, *, problem: str = "", status: int = 200) -> HttpResponse:
    context = {"lists": left_lists(lists_of(request).device), "can_save": is_on(SAVED)}
    return _page(request, "thankyou_wishlists/left.html", context, problem=problem, status=status)


def _page(request: HttpRequest, template: str, context: dict[str, Any], *, problem: str, status: int) -> HttpResponse:
    note = notes.read(request) if not problem else None
    status_text = problem or (note.text(None) if note is not None else "")
    context |= {
        "status_text": status_text,
        "is_bad_news": bool(problem) or (note is not None and note.is_bad_news),
        "shop_url": resolve_url(app_settings.shop_url),
    }
    response = render(request, template, context, status=status)
    notes.drop(request, response)
    return response
