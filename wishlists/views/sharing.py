"""Sharing a wish list, and what those who have the link see and say (SL-4).

Nothing here logs anybody in (SL-5), and the page of a link knows its owner by nothing but the name chosen for it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.contrib.auth.decorators import login_not_required
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render, resolve_url
from django.urls import reverse
from django.views.decorators.http import require_http_methods, require_safe

from .. import notes
from ..baskets import describe_basket
from ..catalog import get_catalog
from ..conf import app_settings
from ..exceptions import AlreadyTaken, ListError
from ..gifts import Taken, free_all, mark, taken, unmark
from ..givers import new_giver, read_giver, write_giver
from ..lines import Key, Line
from ..models import ListItem, ProductList
from ..notes import Note
from ..origin import same_origin_post
from ..sharing import count_hidden, find_shared, renew, share, show_all, shown_by, unshare
from ..shelf import lists_of
from ..showing import WishRow, rows_of
from ..wish_baskets import carted_code, copy_into_basket
from ..wish_forms import GiftForm, ShareForm
from .answers import (
    account_required,
    add_list_error,
    as_json,
    back_with_note,
    errors_as_json,
    first_error,
    post_or,
    tell,
    wants_json,
)
from .private import private, with_wish_lists
from .wish import own_list


@with_wish_lists
@account_required
@private
@require_http_methods(["GET", "HEAD", "POST"])
@same_origin_post
def list_share(request: HttpRequest, key: str) -> HttpResponse:
    """Show who may see a list, with its link; POST ``action``: share, update, show_all, renew, revoke or free."""
    row = own_list(request, key)
    if request.method != "POST":
        return _share_page(request, row, ShareForm.for_list(row))
    action = request.POST.get("action", "")
    try:
        if action in ("share", "update"):
            return _share(request, row)
        if action not in STEPS:
            raise Http404
        step, code = STEPS[action]
        return _shared_now(request, step(list=row) or row, Note(code))
    except ProductList.DoesNotExist:
        raise Http404 from None


STEPS: dict[str, tuple[Any, str]] = {
    "show_all": (show_all, "share_changed"),
    "renew": (renew, "share_renewed"),
    "revoke": (unshare, "share_revoked"),
    "free": (free_all, "gifts_freed"),
}


def _share(request: HttpRequest, row: ProductList) -> HttpResponse:
    form = ShareForm.for_list(row, request.POST)
    if not form.is_valid():
        if wants_json(request):
            return errors_as_json(request, form)
        return _share_page(request, row, form, status=422)
    data, was_shared = form.cleaned_data, row.is_shared
    row = share(
        list=row,
        shows_additions=data["shares_additions"],
        shown_name=data["shown_name"],
        hides_gifts=not data["shows_gifts"],
    )
    return _shared_now(request, row, Note("share_changed" if was_shared else "list_shared"))


def _shared_now(request: HttpRequest, row: ProductList, note: Note) -> HttpResponse:
    if wants_json(request):
        return as_json(request, note.text(None), share_url=_link(request, row))
    return back_with_note(request, reverse("thankyou_wishlists:list_share", args=[row.key]), note)


def _link(request: HttpRequest, row: ProductList) -> str | None:
    """Return the whole address to give to others; None for a list that is not shared."""
    if not row.is_shared:
        return None
    return request.build_absolute_uri(reverse("thankyou_wishlists:shared", args=[row.share_key]))


def _share_page(request: HttpRequest, row: ProductList, form: ShareForm, *, status: int = 200) -> HttpResponse:
    note = notes.read(request) if status == 200 else None
    context = {
        "list": row,
        "form": form,
        "link": _link(request, row),
        "hidden": count_hidden(row),
        "note": note,
        "status_text": note.text(None) if note is not None else "",
    }
    response = render(request, "thankyou_wishlists/wish/share.html", context, status=status)
    notes.drop(request, response)
    return response


# For those who have the link ------------------------------------------------------------------------


@with_wish_lists
@login_not_required
@private
@require_safe
def shared(request: HttpRequest, key: str) -> HttpResponse:
    """Show a list to whoever has its link. Revoked, unknown and malformed keys give one and the same page."""
    return _shared_page(request, key)


@with_wish_lists
@login_not_required
@private
@post_or("shared")
@same_origin_post
def shared_gift(request: HttpRequest, key: str) -> HttpResponse:
    """Take what a visitor does with an item of a shared list: ``action`` mark or unmark ("I am getting this"), or cart."""
    row = find_shared(key)
    if row is None:
        return _nothing_here(request)
    form = GiftForm(request.POST, auto_id=GiftForm.ids(*_named(request)))
    act = ACTIONS.get(request.POST.get("action", ""))
    if act is None or not (form.is_valid() or "quantity" in form.errors) or {"product_ref", "options"} & {*form.errors}:
        raise Http404
    try:
        return act(request, row, form)
    except ProductList.DoesNotExist:
        return _nothing_here(request)
    except ListItem.DoesNotExist:
        return _back(request, row, Note("wish_missing", *_named(request)), status=422)
    except AlreadyTaken as error:
        add_list_error(form, error, field="quantity")
    except ListError as error:
        form.add_error(None, str(error))
    return _refused(request, row, form)


def _mark(request: HttpRequest, row: ProductList, form: GiftForm) -> HttpResponse:
    if _is_surprise(request, row):
        return _back(request, row, Note("gift_own"), status=422)
    if not form.is_valid():
        return _refused(request, row, form)
    data = form.cleaned_data
    giver = read_giver(request) or new_giver()
    card = get_catalog().get_products(refs=[data["product_ref"]]).get(data["product_ref"])
    found = mark(list=row, giver=giver, card=card, **data)
    if found is None:
        return _unmark(request, row, form)
    note = Note("gift_marked", found.product_ref, found.options, found.quantity)
    response = _back(request, row, note, title=found.title)
    write_giver(response, giver)
    return response


def _unmark(request: HttpRequest, row: ProductList, form: GiftForm) -> HttpResponse:
    if _is_surprise(request, row):
        return _back(request, row, Note("gift_own"), status=422)
    ref, options = _named(request)
    giver = read_giver(request)
    if giver:
        unmark(list=row, giver=giver, product_ref=ref, options=options)
    return _back(request, row, Note("gift_unmarked", ref, options))


def _cart(request: HttpRequest, row: ProductList, form: GiftForm) -> HttpResponse:
    ref, options = _named(request)
    found = shown_by(row.share_key or "")
    item = next((item for item in found[1] if item.key == (ref, options)), None) if found is not None else None
    if item is None:
        raise ListItem.DoesNotExist
    cards = get_catalog().get_products(refs=[ref])
    moved = copy_into_basket(
        request=request, shelf=lists_of(request), lines=[Line(ref, 1, options)], keys=[item.key], cards=cards
    )
    if moved.target.lines:
        tell(request, "added", kind=moved.target.kind, product_ref=ref, options=options)
    note = Note(carted_code(moved), ref, options)
    return _back(request, row, note, title=item.title, status=200 if moved.lines else 422)


ACTIONS = {"mark": _mark, "unmark": _unmark, "cart": _cart}


@dataclass(frozen=True, slots=True, kw_only=True)
class _Line:
    """One line of the shared page, with its form."""

    row: WishRow
    form: GiftForm


def _shared_page(request: HttpRequest, key: str, *, tried: GiftForm | None = None, status: int = 200) -> HttpResponse:
    """Answer with the page of a link: the list with its items, the marks and the catalogue, three queries."""
    found = shown_by(key)
    if found is None:
        return _nothing_here(request)
    row, items = found
    is_own = _is_own(request, row)
    marks = Taken() if is_own and row.hides_gifts else taken(row, giver=read_giver(request))
    note = notes.read(request) if tried is None else None
    also = [note.product_ref] if note is not None and note.product_ref else []
    rows, cards = rows_of(items, also=also, taken=marks)
    titles = {item.key: item.title for item in items} | {key: mine.title for key, mine in marks.mine.items()}
    shown = {item.key for item in items}
    status_text = ""
    if note is not None:
        title = titles.get((note.product_ref, note.options), "")
        status_text = note.text(cards.get(note.product_ref), title=title)
    response = render(
        request,
        "thankyou_wishlists/wish/shared.html",
        {
            "list_name": row.name,
            "shown_name": row.shown_name,
            "share_key": row.share_key,
            "own_list": row if is_own else None,
            "shows_gifts": not (is_own and row.hides_gifts),
            "lines": [_Line(row=line, form=_form_of(line, tried)) for line in rows],
            "gone": [mine for key, mine in marks.mine.items() if key not in shown],
            "basket": describe_basket(),
            "note": note,
            "status_text": status_text or (first_error(tried) if tried is not None else ""),
            "is_bad_news": tried is not None or (note is not None and note.is_bad_news),
            "tried": tried,
            "shop_url": resolve_url(app_settings.shop_url),
        },
        status=status,
    )
    response.headers["Referrer-Policy"] = QUIET
    notes.drop(request, response)
    return response


#: The key is in the address, which goes to no other site; to our own it may, so that browsers name the origin of a POST.
QUIET = "same-origin"


def _nothing_here(request: HttpRequest) -> HttpResponse:
    """Answer whatever shows no list: always the same, so that nobody learns whether there was one."""
    if wants_json(request):
        return as_json(request, "", status=404)
    context = {"shop_url": resolve_url(app_settings.shop_url)}
    response = render(request, "thankyou_wishlists/wish/shared_gone.html", context, status=404)
    response.headers["Referrer-Policy"] = QUIET
    return response


def _form_of(row: WishRow, tried: GiftForm | None) -> GiftForm:
    if tried is not None and row.item.key == tuple(tried.cleaned_data.get(name) for name in ("product_ref", "options")):
        return tried
    mine = row.mine.quantity if row.mine is not None else 1
    initial = {"product_ref": row.item.product_ref, "options": row.item.options, "quantity": mine}
    return GiftForm(initial=initial, wanted=max(row.most, 1), auto_id=GiftForm.ids(*row.item.key))


def _named(request: HttpRequest) -> Key:
    return request.POST.get("product_ref", ""), request.POST.get("options", "")


def _is_own(request: HttpRequest, row: ProductList) -> bool:
    account = lists_of(request).account
    return account is not None and account.user.pk == row.owner_id


def _is_surprise(request: HttpRequest, row: ProductList) -> bool:
    """Say whether this is the owner, who does not want to know: not even an error may tell."""
    return row.hides_gifts and _is_own(request, row)


def _back(request: HttpRequest, row: ProductList, note: Note, *, title: str = "", status: int = 200) -> HttpResponse:
    if wants_json(request):
        return as_json(request, note.text(None, title=title), status=status)
    return back_with_note(request, reverse("thankyou_wishlists:shared", args=[row.share_key]), note)


def _refused(request: HttpRequest, row: ProductList, form: GiftForm) -> HttpResponse:
    if wants_json(request):
        return errors_as_json(request, form)
    return _shared_page(request, row.share_key or "", tried=form, status=422)
