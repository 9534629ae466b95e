"""After a login: whose are the things on this device? The question, the receipt of a "yes", and its undo (SL-1, CK-5)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import timedelta
from typing import Any

from django.http import Http404, HttpRequest, HttpResponse, QueryDict
from django.shortcuts import get_object_or_404, render, resolve_url
from django.urls import reverse
from django.utils import timezone
from django.utils.http import urlencode
from django.utils.text import get_text_list
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_http_methods, require_safe

from .. import merging, notes
from ..asking import forgotten_in, note_answer, note_forgotten, receipts_in, things_on
from ..catalog import Card, get_catalog, option_titles_of
from ..conf import app_settings
from ..device import DeviceShelf
from ..exceptions import ListFull, TooFast, UndoOver
from ..kinds import CART, COMPARE, RECENT, SAVED
from ..lines import Line, Lines
from ..models import MergeReceipt
from ..notes import Note
from ..origin import same_origin_post
from ..receipts import changes_of, lines_from_json, tell_receipt
from ..shelf import lists_of
from .answers import SeeOther, account_required, as_json, back_with_note, is_safe, wants_json
from .private import private

#: A second click on "Undo" so soon is one whose first answer the browser threw away.
SAME_CLICK = timedelta(minutes=1)


@account_required
@require_http_methods(["GET", "HEAD", "POST"])
@same_origin_post
@private
def merge(request: HttpRequest) -> HttpResponse:
    """Ask whose the things on this device are; or do what the customer answered, and go on to ``next``.

    The question is in numbers; what the things are is shown to who asks (``?show=1``), since they may be another's.
    """
    if request.method != "POST":
        return _question(request, next=_next(request, request.GET))
    next = _next(request, request.POST)
    shelf = lists_of(request)
    match request.POST.get("answer"):
        case "add":
            return _add(request, next=next)
        case "apart":
            note_answer(shelf.session)
            return _go_on(request, next, Note("merge_apart"))
        case "forget":
            shelf.device.forget_all()
            note_answer(shelf.session)
            note_forgotten(shelf.session)
            return _go_on(request, next, Note("merge_forgotten"))
        case _:
            return _refuse(request, _("Please choose one of the three."), next=next)


@account_required
@require_safe
@private
def receipt(request: HttpRequest, key: str) -> HttpResponse:
    """Show what came in, what was there already, and what did not fit; with an undo where the things came from."""
    found = get_object_or_404(MergeReceipt, owner=request.user, key=key)
    shelf = lists_of(request)
    note = notes.read(request)
    guest = [line for lines in lines_from_json(found.guest).values() for line in lines]
    cards, names = _facts(guest)
    titles = {ref: card.title for ref, card in cards.items()}
    response = render(
        request,
        "thankyou_wishlists/merge_receipt.html",
        {
            "receipt": found,
            "sections": tell_receipt(found, titles=titles, names=names),
            "can_undo": merging.can_undo(found) and found.key in receipts_in(shelf.session),
            "is_forgotten": found.key in forgotten_in(shelf.session),
            "undo_days": app_settings.undo_days,
            "is_on_device": bool(things_on(shelf.device)),
            "next": _next(request, request.GET),
            "shop_url": resolve_url(app_settings.shop_url),
            "note": note,
            "status_text": note.text(None) if note is not None else "",
        },
    )
    notes.drop(request, response)
    return response


@account_required
@require_http_methods(["GET", "HEAD", "POST"])
@same_origin_post
@private
def merge_undo(request: HttpRequest, key: str) -> HttpResponse:
    """Give the account back what it held before, and this device its cookies, unless it was told to forget them since.

    Only in the browser session that answered "add": the things came from this device, and go back to no other.
    """
    found = get_object_or_404(MergeReceipt, owner=request.user, key=key)
    shelf = lists_of(request)
    if found.key not in receipts_in(shelf.session):
        raise Http404
    to = _receipt_url(found, next=_next(request, request.POST))
    if request.method != "POST":
        # Back from the login page: the button is there.
        return SeeOther(to)
    note = Note("merge_undone")
    try:
        found = merging.undo(receipt=found).receipt
    except UndoOver as error:
        found.refresh_from_db(fields=["undone_at", "changes"])
        if found.undone_at is None or found.undone_at < timezone.now() - SAME_CLICK:
            note = Note("merge_late" if error.code == "late" else "merge_again")
    if not note.is_bad_news and found.key not in forgotten_in(shelf.session):
        _give_back(shelf.device, found)
    if wants_json(request):
        return as_json(request, note.text(None), status=409 if note.is_bad_news else 200, receipt=to)
    # The receipt itself says that it was undone.
    return back_with_note(request, to, note) if note.is_bad_news else SeeOther(to)


def _question(request: HttpRequest, *, next: str, error: str = "") -> HttpResponse:
    """Answer with the page that asks; where there is nothing to ask, say so, or go on."""
    things = things_on(lists_of(request).device)
    if not things and next and not error:
        return SeeOther(next)
    is_shown = request.GET.get("show") == "1" and request.method != "POST"
    return render(
        request,
        "thankyou_wishlists/merge.html",
        {
            "things": things,
            "sentence": _in_words(things),
            "shown": _titles(things) if is_shown else None,
            "show_url": "?" + urlencode({"show": "1", **({"next": next} if next else {})}),
            "next": next,
            "error": error,
            "undo_days": app_settings.undo_days,
            "shop_url": resolve_url(app_settings.shop_url),
        },
        status=422 if error else 200,
    )


def _add(request: HttpRequest, *, next: str) -> HttpResponse:
    shelf = lists_of(request)
    things = things_on(shelf.device)
    if not things:
        # The second of two clicks: the first has brought everything already.
        latest = _latest_receipt(request)
        if latest is None:
            return _go_on(request, next, Note("merge_nothing"))
        return _added(request, latest, next=next)
    try:
        found = merging.merge(user=request.user, guest=things, cookies=shelf.device.values())
    except TooFast as error:
        return _refuse(request, str(error), next=next)
    left_out = lines_from_json(found.left_out)
    for kind in things:
        shelf.device.retain(kind, {line.key for line in left_out.get(kind, ())})
    note_answer(shelf.session, receipt=found)
    return _added(request, found, next=next)


def _added(request: HttpRequest, found: MergeReceipt, *, next: str) -> HttpResponse:
    to = _receipt_url(found, next=next)
    return as_json(request, Note("merged").text(None), receipt=to) if wants_json(request) else SeeOther(to)


def _latest_receipt(request: HttpRequest) -> MergeReceipt | None:
    """Return the receipt that this session got a moment ago, if there is one."""
    keys = receipts_in(lists_of(request).session)
    since = timezone.now() - merging.SAME_CLICK
    receipts = MergeReceipt.objects.filter(owner=request.user.pk, key__in=keys[-1:], undone_at=None)
    return receipts.filter(created_at__gt=since).first()


def _give_back(device: DeviceShelf, found: MergeReceipt) -> None:
    """Put the device's cookies back; where one cannot be read any more (a new SECRET_KEY), write what it held anew.

    What has left the account since, because it was bought or removed, does not come back: nobody wants it twice.
    """
    device.restore(found.cookies)
    there = things_on(device)
    for kind, lines in lines_from_json(found.guest).items():
        if kind not in there:
            try:
                device.save(lines)
            except ListFull:
                continue
    for kind, changes in changes_of(found).items():
        if gone := {change.key for change in changes if change.gone}:
            device.take_out(kind, gone)


def _go_on(request: HttpRequest, next: str, note: Note) -> HttpResponse:
    """Answer that it is done: JSON if asked for, else on to where the customer wanted to go."""
    if wants_json(request):
        return as_json(request, note.text(None))
    return SeeOther(next) if next else back_with_note(request, reverse("thankyou_wishlists:cart"), note)


def _refuse(request: HttpRequest, message: str, *, next: str) -> HttpResponse:
    if wants_json(request):
        return as_json(request, message, status=422, errors={"answer": [message]})
    return _question(request, next=next, error=message)


def _next(request: HttpRequest, data: QueryDict) -> str:
    """Return where to go on to, if it is an address of this site."""
    to = data.get("next", "")
    return to if is_safe(request, to) else ""


def _receipt_url(found: MergeReceipt, *, next: str) -> str:
    url = reverse("thankyou_wishlists:receipt", args=[found.key])
    return f"{url}?{urlencode({'next': next})}" if next else url


def _facts(lines: Iterable[Line]) -> tuple[Mapping[str, Card], Mapping[tuple[str, str], str]]:
    """Return the products of lines, and what their options are called: one question to the catalogue each."""
    lines = list(lines)
    catalog = get_catalog()
    cards = catalog.get_products(refs=list(dict.fromkeys(line.product_ref for line in lines))) if lines else {}
    return cards, option_titles_of(catalog, keys=[line.key for line in lines], cards=cards)


def _titles(things: Mapping[str, Lines]) -> list[dict[str, Any]]:
    """Return what the things are, list by list, for those who asked."""
    cards, names = _facts(line for found in things.values() for line in found)
    return [
        {
            "label": found.policy.label,
            "lines": [(line, cards.get(line.product_ref), names.get(line.key, "")) for line in found],
        }
        for found in things.values()
    ]


def _in_words(things: Mapping[str, Lines]) -> str:
    """Return how many things are where: "2 things in the cart and 3 things saved for later"."""
    parts = []
    for kind, lines in things.items():
        count = len(lines)
        texts = {
            CART: ngettext("%(count)s thing in the cart", "%(count)s things in the cart", count),
            SAVED: ngettext("%(count)s thing saved for later", "%(count)s things saved for later", count),
            COMPARE: ngettext("%(count)s thing to compare", "%(count)s things to compare", count),
            RECENT: ngettext("%(count)s thing looked at", "%(count)s things looked at", count),
        }
        parts.append(texts[kind] % {"count": count})
    return get_text_list(parts, _("and"))
