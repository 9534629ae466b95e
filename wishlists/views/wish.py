"""The pages of an account's wish lists: all of them, a new one, one with its items, its name, its end."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.db.models import Count, IntegerField, OuterRef, Subquery, Sum
from django.db.models.functions import Coalesce
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render, resolve_url
from django.urls import reverse
from django.views.decorators.http import require_http_methods, require_safe

from .. import notes
from ..baskets import describe_basket
from ..conf import app_settings
from ..exceptions import ListFull, NameTaken
from ..forms import dom_id
from ..kinds import WISH, get_kind
from ..lists import create_list, delete_list, find_list, rename
from ..models import GiftMark, ListItem, ProductList
from ..notes import Note
from ..origin import same_origin_post
from ..rows import escape, rows_of
from ..wish_forms import ItemForm, NameForm
from .answers import account_required, add_list_error, as_json, back_with_note, errors_as_json, wants_json
from .private import private, with_wish_lists


@with_wish_lists
@account_required
@private
@require_safe
def lists(request: HttpRequest) -> HttpResponse:
    """Show all wish lists of the account, with what is on them and who may see them."""
    rows = ProductList.objects.of(request.user).wish_lists().annotate(count=Count("items"))
    note = notes.read(request)
    response = render(
        request,
        "thankyou_wishlists/wish/lists.html",
        {
            "lists": rows.order_by("pk"),
            "max_lists": get_kind(WISH).max_lists,
            "note": note,
            "status_text": note.text(None) if note is not None else "",
            "shop_url": resolve_url(app_settings.shop_url),
        },
    )
    notes.drop(request, response)
    return response


@with_wish_lists
@account_required
@private
@require_http_methods(["GET", "HEAD", "POST"])
@same_origin_post
def list_new(request: HttpRequest) -> HttpResponse:
    """Ask for the name of a new wish list, and begin it."""
    form = NameForm(request.POST if request.method == "POST" else None, auto_id="ty-list-%s")
    if request.method == "POST" and form.is_valid():
        try:
            row = create_list(user=request.user, name=form.cleaned_data["name"])
        except (ListFull, NameTaken) as error:
            add_list_error(form, error, field="name")
        else:
            return _done(request, row, Note("list_made"), key=row.key, name=row.name)
    return _name_page(request, form, None)


@with_wish_lists
@account_required
@private
@require_http_methods(["GET", "HEAD", "POST"])
@same_origin_post
def list_edit(request: HttpRequest, key: str) -> HttpResponse:
    """Ask for another name, and give it to the list."""
    row = own_list(request, key)
    data = request.POST if request.method == "POST" else None
    form = NameForm(data, initial={"name": row.name}, auto_id="ty-list-%s")
    if data is not None and form.is_valid():
        try:
            row = rename(list=row, name=form.cleaned_data["name"])
        except NameTaken as error:
            add_list_error(form, error, field="name")
        except ProductList.DoesNotExist:
            raise Http404 from None
        else:
            return _done(request, row, Note("list_renamed"), key=row.key, name=row.name)
    return _name_page(request, form, row)


@with_wish_lists
@account_required
@private
@require_http_methods(["GET", "HEAD", "POST"])
@same_origin_post
def list_delete(request: HttpRequest, key: str) -> HttpResponse:
    """Ask once, and delete the list with what is on it."""
    row = own_list(request, key)
    if request.method == "POST":
        delete_list(list=row)
        note = Note("list_deleted")
        if wants_json(request):
            return as_json(request, note.text(None))
        return back_with_note(request, reverse("thankyou_wishlists:lists"), note)
    return render(request, "thankyou_wishlists/wish/delete.html", {"list": row, "count": row.items.count()})


@with_wish_lists
@account_required
@private
@require_safe
def wish_list(request: HttpRequest, key: str) -> HttpResponse:
    """Show one wish list at today's prices, and the note of what just happened."""
    return list_page(request, key)


# For the other views of wish lists ------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class Tried:
    """A POST that was not accepted: the form of one line, or what was wrong with the choice of several."""

    form: ItemForm | None = None
    message: str = ""
    chosen: frozenset[str] = frozenset()
    to: str = ""


def own_list(request: HttpRequest, key: str) -> ProductList:
    """Return the account's wish list with this key; 404 for another's and unknown ones alike (SL-3)."""
    row = find_list(user=request.user, key=key)
    if row is None:
        raise Http404
    return row


def own_lists(request: HttpRequest) -> list[ProductList]:
    """Return all wish lists of the account: one query."""
    return [*ProductList.objects.of(request.user).wish_lists().order_by("pk")]


def list_page(request: HttpRequest, key: str, *, tried: Tried | None = None, status: int = 200) -> HttpResponse:
    """Answer with the page of a list; ``tried`` was refused and stands, with its error, where it belongs.

    Three queries beside session and account: the lists (for "move to"), the items, the catalogue; one more if there are
    options that the products themselves do not name, and one if something became cheaper.
    """
    everything = own_lists(request)
    row = next((each for each in everything if each.key == key), None)
    if row is None:
        raise Http404
    note = notes.read(request) if tried is None else None
    also = [note.product_ref] if note is not None and note.product_ref else []
    items = _items(row)
    form = tried.form if tried is not None else None
    rows, cards = rows_of(items, also=also, change=_slug_of(form) if form else request.GET.get("change", ""))
    item = next((line.kept for line in rows if line.is_open), None)
    if form is None and item is not None:
        form = ItemForm.for_item(item)
    card = cards.get(note.product_ref) if note is not None else None
    response = render(
        request,
        "thankyou_wishlists/wish/list.html",
        {
            "list": row,
            "others": [each for each in everything if each is not row],
            "list_url": list_url(row),
            "rows": rows,
            "form": form,
            "buyable": sum(line.is_buyable for line in rows),
            "basket": describe_basket(),
            "note": note,
            "status_text": note.text(card, title=_kept_title(row, items, note)) if note is not None else "",
            "can_put_back": note is not None and note.code in REMOVED and bool(row.last_removed),
            "tried": tried,
            "chosen": {escape(text) for text in tried.chosen} if tried is not None else (),
            "max_items": get_kind(WISH).max_items,
            "shop_url": resolve_url(app_settings.shop_url),
        },
        status=status,
    )
    notes.drop(request, response)
    return response


REMOVED = frozenset({"wish_removed", "wishes_removed"})


def _items(row: ProductList) -> list[ListItem]:
    """Return the items, the most wanted first, with what is taken of each if the owner wants to know."""
    items = row.items.order_by("priority", "added_at", "pk")
    if row.is_shared and not row.hides_gifts:
        same = GiftMark.objects.filter(
            list=OuterRef("list"), product_ref=OuterRef("product_ref"), options=OuterRef("options")
        )
        marked = same.order_by().values("list").annotate(sum=Sum("quantity")).values("sum")
        items = items.annotate(taken=Coalesce(Subquery(marked, output_field=IntegerField()), 0))
    return [*items]


def _kept_title(row: ProductList, items: list[ListItem], note: Note) -> str:
    key = note.product_ref, note.options
    removed = (each["title"] for each in row.last_removed if (each["product_ref"], each["options"]) == key)
    return next((item.title for item in items if item.key == key), "") or next(removed, "")


def _slug_of(form: ItemForm) -> str:
    return dom_id(*(form.cleaned_data.get(name, "") for name in ("product_ref", "options")))


def _done(request: HttpRequest, row: ProductList, note: Note, **more: Any) -> HttpResponse:
    """Answer a POST about a list: JSON if asked for, else its page with a note."""
    if wants_json(request):
        return as_json(request, note.text(None), **more)
    return back_with_note(request, list_url(row), note)


def list_url(row: ProductList) -> str:
    """Return the address of a list's own page."""
    return reverse("thankyou_wishlists:list", args=[row.key])


def _name_page(request: HttpRequest, form: NameForm, row: ProductList | None) -> HttpResponse:
    if form.is_bound and wants_json(request):
        return errors_as_json(request, form)
    status = 422 if form.is_bound else 200
    return render(request, "thankyou_wishlists/wish/name.html", {"form": form, "list": row}, status=status)
