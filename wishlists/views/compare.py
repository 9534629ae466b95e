"""Products side by side: the page, the posts that change it, and the file."""

from __future__ import annotations

from typing import Any

from django.contrib.auth.decorators import login_not_required
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import redirect, render, resolve_url
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import pgettext
from django.views.decorators.http import require_safe

from .. import notes
from ..catalog import Card, accepts_options, get_catalog
from ..comparing import MISSING, Comparison
from ..comparing import compare as compare_lines
from ..conf import app_settings
from ..exceptions import ListError, ListFull, TooFast
from ..forms import dom_id
from ..kinds import COMPARE, get_kind
from ..lines import Line, add, key_text, parse_key, remove
from ..notes import Note
from ..origin import same_origin_post
from ..shelf import Shelf, is_on, lists_of
from ..spreadsheets import download_csv, download_xlsx, has_xlsx
from .answers import SeeOther, as_json, back_with_note, is_safe, post_or, posted_line, tell, wants_json

#: Value of the parameter ``only`` that leaves out what is the same for all.
DIFFERENCES = "differences"


@login_not_required
@require_safe
def compare(request: HttpRequest) -> HttpResponse:
    """Show up to four products side by side, at today's prices; with ``?only=differences`` only what differs."""
    _check_is_on()
    return _page(request)


@login_not_required
@post_or("compare")
@same_origin_post
def compare_change(request: HttpRequest) -> HttpResponse:
    """Put a product into the comparison (``action=add``), take one out (``remove``) or all (``clear``).

    Goes to ``next`` or to the comparison. If it is full, the comparison comes back with what was wanted, and one click
    puts it in the place of another: the same post with that one's key as ``replace``. One query for a guest, no write.
    """
    _check_is_on()
    action = request.POST.get("action", "add")
    if action == "clear":
        return _clear(request)
    line = posted_line(request)
    card = get_catalog().get_products(refs=[line.product_ref]).get(line.product_ref) if line else None
    if line is None or action not in ("add", "remove"):
        return _refused(request, _("That was not understood, so nothing was changed."))
    if action == "remove":
        return _remove(request, line, card)
    if card is None or (line.options and not accepts_options(card, line.options)):
        return _done(request, Note("unknown", line.product_ref, line.options), card)
    return _add(request, line, card)


@login_not_required
@require_safe
def compare_sheet(request: HttpRequest) -> HttpResponseBase:
    """Download the comparison as a sheet: ``?format=csv`` or ``xlsx``."""
    _check_is_on()
    form = request.GET.get("format", "csv")
    if form not in _formats():
        raise Http404
    lines = lists_of(request).get(COMPARE)
    if not lines:
        return redirect("thankyou_wishlists:compare")
    comparison = compare_lines(lines, get_catalog(), titles=_titles(lists_of(request)))
    download = download_xlsx if form == "xlsx" else download_csv
    return download(_sheet(request, comparison), name=str(get_kind(COMPARE).label))


def _check_is_on() -> None:
    if not is_on(COMPARE):
        raise Http404


def _formats() -> list[str]:
    return ["csv", "xlsx"] if has_xlsx() else ["csv"]


def _titles(shelf: Shelf) -> dict[str, str]:
    """Return the titles that an account's rows keep, for products that left the shop."""
    account = shelf.account
    return {key_text(item.key): item.title for item in account.items(COMPARE)} if account is not None else {}


def _add(request: HttpRequest, line: Line, card: Card) -> HttpResponse:
    shelf = lists_of(request)
    lines = shelf.get(COMPARE)
    replaced = parse_key(request.POST.get("replace", ""))
    if replaced is not None and replaced != line.key:
        lines = remove(lines, product_ref=replaced[0], options=replaced[1])
    try:
        shelf.save(add(lines, product_ref=line.product_ref, options=line.options), cards={card.ref: card})
    except (ListFull, TooFast) as error:
        return _refused(request, str(error), error=error, wanted=line)
    if replaced is not None and shelf.get(COMPARE).find(product_ref=replaced[0], options=replaced[1]) is None:
        tell(request, "removed", kind=COMPARE, product_ref=replaced[0], options=replaced[1])
    tell(request, "added", kind=COMPARE, product_ref=line.product_ref, options=line.options)
    return _done(request, Note("compared", line.product_ref, line.options), card)


def _remove(request: HttpRequest, line: Line, card: Card | None) -> HttpResponse:
    shelf = lists_of(request)
    ref, options = line.key
    if shelf.get(COMPARE).find(product_ref=ref, options=options) is not None:
        shelf.save(remove(shelf.get(COMPARE), product_ref=ref, options=options))
        tell(request, "removed", kind=COMPARE, product_ref=ref, options=options)
    return _done(request, Note("removed", ref, options), card)


def _clear(request: HttpRequest) -> HttpResponse:
    shelf = lists_of(request)
    lines = shelf.get(COMPARE)
    shelf.forget(COMPARE)
    for line in lines:
        tell(request, "removed", kind=COMPARE, product_ref=line.product_ref, options=line.options)
    return _done(request, Note("compare_cleared"), None)


def _done(request: HttpRequest, note: Note, card: Card | None) -> HttpResponse:
    """Answer a post: JSON if asked for, else a redirect that brings the note along."""
    if wants_json(request):
        return as_json(request, note.text(card), status=422 if note.is_bad_news else 200)
    to = request.POST.get("next", "")
    if is_safe(request, to) and not note.is_bad_news:
        # The page there may come from a cache, so the good news travels as a fragment, as with "add to cart".
        if note.code == "compared" and "#" not in to:
            to += f"#ty-compared-{dom_id(note.product_ref, note.options)}"
        return SeeOther(to)
    return back_with_note(request, reverse("thankyou_wishlists:compare"), note)


def _refused(
    request: HttpRequest, message: str, *, error: ListError | None = None, wanted: Line | None = None
) -> HttpResponse:
    """Say why nothing was changed; what was wanted stays on the page, one click away."""
    if wants_json(request):
        code = error.code if error is not None else "invalid"
        return as_json(request, message, status=422, code=code)
    return _page(request, refused=message, wanted=wanted if isinstance(error, ListFull) else None, status=422)


def _page(request: HttpRequest, *, refused: str = "", wanted: Line | None = None, status: int = 200) -> HttpResponse:
    shelf, catalog = lists_of(request), get_catalog()
    lines = shelf.get(COMPARE)
    note = notes.read(request) if not refused else None
    refs = {line.product_ref: None for line in lines}
    also = [note.product_ref] if note is not None and note.product_ref else []
    refs |= dict.fromkeys([*also, *([wanted.product_ref] if wanted else [])])
    cards = catalog.get_products(refs=list(refs)) if refs else {}
    card = cards.get(note.product_ref) if note is not None else None
    comparison = compare_lines(lines, catalog, cards=cards, titles=_titles(shelf))
    context: dict[str, Any] = {
        "comparison": comparison,
        "shown": comparison.rows,
        "only": request.GET.get("only") == DIFFERENCES,
        "max_items": lines.policy.max_items,
        "note": note,
        "status_text": refused or (note.text(card) if note is not None else ""),
        "is_bad_news": bool(refused) or (note is not None and note.is_bad_news),
        # What was taken out can be put back by one click.
        "removed": card if note is not None and note.code == "removed" else None,
        "wanted": wanted,
        "wanted_card": cards.get(wanted.product_ref) if wanted else None,
        "formats": _formats(),
        "is_account": shelf.account is not None,
        "shop_url": resolve_url(app_settings.shop_url),
    }
    if context["only"] and len(comparison.columns) > 1:
        context["shown"] = comparison.differing
    response = render(request, "thankyou_wishlists/compare.html", context, status=status)
    response.headers["X-Robots-Tag"] = "noindex"
    notes.drop(request, response)
    return response


def _sheet(request: HttpRequest, comparison: Comparison) -> list[list[str]]:
    """Return the rows of the file: a row of titles, the facts, and where to find the products."""
    rows = [["", *(column.name for column in comparison.columns)]]
    rows += [[row.name, *(cell or MISSING for cell in row.cells)] for row in comparison.rows]
    urls = [column.card.url if column.card is not None else "" for column in comparison.columns]
    address = pgettext("of a page", "Address")
    return [*rows, [address, *(request.build_absolute_uri(url) if url else "" for url in urls)]]
