"""What happens to the items of wish lists: put on, changed, moved, taken off, put back, and put into the cart."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.contrib.auth.decorators import login_not_required
from django.contrib.auth.views import redirect_to_login
from django.db import transaction
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase, QueryDict
from django.shortcuts import render
from django.urls import Resolver404, resolve, reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from ..catalog import Card, accepts_options, choices_of, get_catalog
from ..exceptions import ListError, ListFull
from ..kinds import WISH
from ..lines import Key, parse_key
from ..lists import change_item, create_list, move_items, put_back, put_on_list, take_off
from ..models import ListItem, ProductList
from ..notes import Note
from ..origin import same_origin_post
from ..shelf import lists_of
from ..wish_baskets import carted_code, copy_into_basket, needs_choice
from ..wish_forms import ChooseForm, ItemForm
from .answers import (
    account_required,
    add_list_error,
    as_json,
    back_with_note,
    errors_as_json,
    first_error,
    is_safe,
    login_needed,
    post_or,
    tell,
    wants_json,
)
from .private import private, with_wish_lists
from .wish import Tried, list_page, list_url, own_list, own_lists


@with_wish_lists
@login_not_required
@private
@post_or("list")
@same_origin_post
def list_items(request: HttpRequest, key: str) -> HttpResponseBase:
    """Do ``action`` with items of a list: add, change, remove, move, cart or undo; then back to the list.

    Items are ``product_ref`` and ``options`` for one, ``item`` (repeated) or ``all`` for several; ``move`` has ``to``,
    another of the account's lists. The buttons of a line name action and item at once: ``put`` or ``remove``.
    """
    back = reverse("thankyou_wishlists:list", args=[key])
    if lists_of(request).account is None:
        # After logging in one comes to the page, not to an address that only takes POSTs.
        return login_needed() if wants_json(request) else redirect_to_login(back)
    row = own_list(request, key)
    button = next((name for name in BUTTONS if name in request.POST), "")
    act = ACTIONS.get(BUTTONS.get(button) or request.POST.get("action", ""))
    if act is None:
        raise Http404
    try:
        return act(request, row)
    except ProductList.DoesNotExist:
        raise Http404 from None
    except ListError as error:
        return _refused(request, row, str(error))


def _add(request: HttpRequest, row: ProductList) -> HttpResponse:
    form = ItemForm(request.POST)
    card = _card(form)
    if not form.is_valid():
        return _refused_form(request, row, form)
    data = form.cleaned_data
    if card is None:
        return _done(request, row, Note("unknown"), status=422)
    line = {"product_ref": data["product_ref"], "options": data["options"]}
    if not accepts_options(card, line["options"]):
        _ask_which(form, card)
        return errors_as_json(request, form) if wants_json(request) else _refused(request, row, first_error(form))
    item = put_on_list(list=row, card=card, **{**form.changes, **line})
    tell(request, "added", kind=WISH, product_list=row, quantity=item.quantity, **line)
    return _done(request, row, Note("wish_added", quantity=item.quantity, **line), card)


def _change(request: HttpRequest, row: ProductList) -> HttpResponse:
    names = request.POST.get("product_ref", ""), request.POST.get("options", "")
    form = ItemForm(request.POST, auto_id=ItemForm.ids(*names))
    valid = form.is_valid()
    line = {name: form.cleaned_data.get(name, "") for name in ("product_ref", "options")}
    present = row.items.filter(**line).first()
    if present is None:
        return _done(request, row, Note("wish_missing", **line), status=422)
    if not valid:
        return _refused_form(request, row, form)
    try:
        item = change_item(list=row, **line, **form.changes)
    except ListFull as error:
        add_list_error(form, error, field="quantity")
        return _refused_form(request, row, form)
    if item is None:
        return _done(request, row, Note("wish_missing", **line), status=422)
    tell(request, "changed", kind=WISH, product_list=row, quantity=item.quantity, **line)
    return _done(request, row, Note("wish_changed", quantity=item.quantity, **line), title=item.title)


def _remove(request: HttpRequest, row: ProductList) -> HttpResponse:
    keys = _keys(request, row)
    if not keys:
        return _refused(request, row, _("Choose at least one product."))
    titles = {item.key: item.title for item in row.items.all() if item.key in keys}
    number = take_off(list=row, keys=keys)
    for ref, options in titles:
        tell(request, "removed", kind=WISH, product_list=row, product_ref=ref, options=options, quantity=0)
    return _done(request, row, _note_of(keys, number, "wish_removed", "wishes_removed"), title=_only(titles))


def _undo(request: HttpRequest, row: ProductList) -> HttpResponse:
    before = {(each["product_ref"], each["options"]): each["quantity"] for each in row.last_removed}
    number = put_back(list=row)
    for (ref, options), quantity in before.items():
        tell(request, "added", kind=WISH, product_list=row, product_ref=ref, options=options, quantity=quantity)
    return _done(request, row, Note("wishes_restored", quantity=number))


def _move(request: HttpRequest, row: ProductList) -> HttpResponse:
    keys, to = _keys(request, row), request.POST.get("to", "")
    if not keys or not to:
        message = _("Choose at least one product.") if not keys else _("Choose the list to move them to.")
        return _refused(request, row, message)
    target = own_list(request, to)
    items = {item.key: item.quantity for item in row.items.all() if item.key in keys}
    number = move_items(source=row, target=target, keys=keys)
    if not number:
        return _done(request, row, Note("wishes_stayed"), status=422)
    for (ref, options), quantity in items.items():
        tell(request, "moved", kind=WISH, product_list=target, product_ref=ref, options=options, quantity=quantity)
    return _done(request, target, Note("wishes_moved", quantity=number))


def _cart(request: HttpRequest, row: ProductList) -> HttpResponse:
    keys = _keys(request, row)
    if not keys:
        return _refused(request, row, _("Choose at least one product."))
    items = [item for item in row.items.order_by("priority", "added_at", "pk") if item.key in keys]
    cards = get_catalog().get_products(refs=[item.product_ref for item in items]) if items else {}
    moved = copy_into_basket(
        request=request, shelf=lists_of(request), lines=[item.line for item in items], keys=keys, cards=cards
    )
    for line in moved.lines if moved.target.lines else ():
        tell(request, "added", kind=moved.target.kind, product_ref=line.product_ref, options=line.options)
    number = len(moved.lines)
    if len(keys) == 1:
        note = _note_of(keys, number, carted_code(moved), "")
    else:
        code = "wishes_carted_in_part" if moved.stayed else "wishes_carted"
        note = Note("wishes_choice" if needs_choice(moved) else code, quantity=number)
    title = _only({item.key: item.title for item in items})
    return _done(request, row, note, title=title, status=200 if number else 422)


ACTIONS = {"add": _add, "change": _change, "remove": _remove, "undo": _undo, "move": _move, "cart": _cart}

#: Buttons that have an item's key as their value, and what they do.
BUTTONS = {"put": "cart", "remove": "remove"}


@with_wish_lists
@login_not_required
@private
@require_http_methods(["GET", "HEAD", "POST"])
@same_origin_post
def list_choose(request: HttpRequest) -> HttpResponseBase:
    """Ask which wish list a product goes to, or what a new one is called, and put it there.

    GET has ``product_ref``, ``options``, ``quantity`` and ``next`` in the address, so that a guest comes back to it after
    logging in.
    """
    if lists_of(request).account is None and request.method == "POST" and not wants_json(request):
        return redirect_to_login(_address(request.POST))
    return _choose(request)


@account_required
def _choose(request: HttpRequest) -> HttpResponse:
    rows = own_lists(request)
    asked = request.POST if request.method == "POST" else request.GET
    form = ChooseForm(asked, lists=rows, auto_id="ty-choose-%s")
    form.is_valid()
    if "product_ref" in form.errors or "options" in form.errors:
        raise Http404
    ref, options = form.cleaned_data["product_ref"], form.cleaned_data["options"]
    card = get_catalog().get_products(refs=[ref]).get(ref)
    if card is None:
        raise Http404
    if request.method != "POST":
        return _choose_page(request, _offer(form, rows, card), rows, card)
    form.offer(choices_of(card))
    if not accepts_options(card, options):
        _ask_which(form, card)
    if "list" in form.errors:  # somebody else's list, or none: the same (SL-3)
        raise Http404
    if form.is_valid():
        try:
            row, item = _put(request, form, card)
        except ListError as error:
            # A new name counts more than the list that was chosen already.
            add_list_error(form, error, field="name" if form.cleaned_data["name"] else "list")
        except ProductList.DoesNotExist:
            raise Http404 from None
        else:
            line = {"product_ref": ref, "options": options}
            tell(request, "added", kind=WISH, product_list=row, quantity=item.quantity, **line)
            note = Note("wish_added", quantity=item.quantity, **line)
            return _done(request, row, note, card, to=_way_back(request, form.cleaned_data["next"]), key=row.key)
    if wants_json(request):
        return errors_as_json(request, form)
    return _choose_page(request, form, rows, card, status=422)


def _put(request: HttpRequest, form: ChooseForm, card: Card) -> tuple[ProductList, ListItem]:
    """Put the product on the list, which is made if it is a new one; both or neither."""
    data = form.cleaned_data
    with transaction.atomic():
        name = data["name"]
        row = create_list(user=request.user, name=name) if name else own_list(request, data["list"])
        item = put_on_list(
            list=row, product_ref=card.ref, options=data["options"], quantity=data["quantity"] or 1, card=card
        )
    return row, item


def _offer(form: ChooseForm, rows: list[ProductList], card: Card) -> ChooseForm:
    """Return the form as it is asked first: what came with the address, the first list chosen, no complaint."""
    names = ("product_ref", "options", "quantity", "next")
    initial = {name: form.cleaned_data.get(name) for name in names}
    if not accepts_options(card, form.cleaned_data["options"]):
        initial["options"] = ""
    offered = ChooseForm(initial={**initial, "list": rows[0].key if rows else ""}, lists=rows, auto_id="ty-choose-%s")
    offered.offer(choices_of(card))
    return offered


def _ask_which(form: ChooseForm | ItemForm, card: Card) -> None:
    """Refuse options that the product does not come in: they would be read on the list as if the shop had said so."""
    form.add_error("options" if choices_of(card) else None, _("Please choose which one you would like."))


def _choose_page(
    request: HttpRequest, form: ChooseForm, rows: list[ProductList], card: Card, *, status: int = 200
) -> HttpResponse:
    back = form["next"].value() or ""
    context = {"form": form, "lists": rows, "card": card, "back_url": back if is_safe(request, back) else card.url}
    return render(request, "thankyou_wishlists/wish/choose.html", context, status=status)


def _address(data: QueryDict) -> str:
    """Return the address of the question with what was posted, as far as it is short enough for one."""
    query = QueryDict(mutable=True)
    for name in ("product_ref", "options", "quantity", "next"):
        if 0 < len(value := data.get(name, "")) <= 500:
            query[name] = value
    return f"{reverse('thankyou_wishlists:list_choose')}?{query.urlencode()}"


def _way_back(request: HttpRequest, to: str | None) -> str:
    """Return ``to`` if it is a page of ours, which shows the note; a cached page of the shop could not."""
    if not to or not is_safe(request, to):
        return ""
    try:
        return to if resolve(to.partition("?")[0].partition("#")[0]).app_name == "thankyou_wishlists" else ""
    except Resolver404:
        return ""


# Inside ---------------------------------------------------------------------------------------------


def _card(form: ItemForm) -> Card | None:
    form.is_valid()
    ref = form.cleaned_data.get("product_ref")
    return get_catalog().get_products(refs=[ref]).get(ref) if ref else None


def _keys(request: HttpRequest, row: ProductList) -> frozenset[Key]:
    """Return the items that a POST names; what cannot be one is none."""
    for button in BUTTONS:
        if button in request.POST:  # of a line, whatever else is selected
            key = parse_key(request.POST[button])
            return frozenset([key] if key is not None else [])
    if request.POST.get("all"):
        return frozenset(item.key for item in row.items.all())
    named = [parse_key(text) for text in request.POST.getlist("item")[:1000]]
    one = ItemForm({name: request.POST.get(name, "") for name in ("product_ref", "options")})
    one.is_valid()
    if "product_ref" in one.cleaned_data and "options" in one.cleaned_data:
        named.append((one.cleaned_data["product_ref"], one.cleaned_data["options"]))
    return frozenset(key for key in named if key is not None)


def _note_of(keys: frozenset[Key], number: int, one: str, several: str) -> Note:
    if len(keys) == 1:
        [(ref, options)] = keys
        return Note(one, ref, options, number)
    return Note(several, quantity=number)


def _only(titles: Mapping[Key, str]) -> str:
    return next(iter(titles.values())) if len(titles) == 1 else ""


def _done(
    request: HttpRequest,
    row: ProductList,
    note: Note,
    card: Card | None = None,
    *,
    title: str = "",
    status: int = 200,
    to: str = "",
    **more: Any,
) -> HttpResponse:
    """Answer a POST: JSON if asked for, else a redirect that brings the note along."""
    if wants_json(request):
        return as_json(request, note.text(card, title=title), status=status, **more)
    return back_with_note(request, to or list_url(row), note)


def _refused(request: HttpRequest, row: ProductList, message: str) -> HttpResponse:
    """Answer a POST that was not accepted: the same page with the reason, and what was chosen still chosen."""
    if wants_json(request):
        return as_json(request, message, status=422, errors={"__all__": [message]})
    chosen = frozenset(request.POST.getlist("item"))
    return list_page(
        request, row.key, tried=Tried(message=message, chosen=chosen, to=request.POST.get("to", "")), status=422
    )


def _refused_form(request: HttpRequest, row: ProductList, form: ItemForm) -> HttpResponse:
    if wants_json(request):
        return errors_as_json(request, form)
    message = (
        ""
        if row.items.filter(product_ref=form.cleaned_data.get("product_ref", "")).exists()
        else str(next(iter(form.errors.values()))[0])
    )
    return list_page(request, row.key, tried=Tried(form=form, message=message), status=422)
