"""The lists as JSON, for shops with a front end of their own. All of it is read with GET, below ``lists/api/``.

Changes go to the addresses of the forms, with the forms' fields (urlencoded or multipart) and ``Accept:
application/json``: ``cart_add``, ``cart_change``, ``cart_save``, ``saved_add``, ``saved_change``, ``saved_move``,
``compare_change``, ``recent_change``, ``list_new``, ``list_edit``, ``list_items``, ``list_share``, ``list_delete``,
``list_choose``, ``shared_gift``, ``device``, ``left``, ``merge`` and ``merge_undo``. They answer ``{"message": text for
the customer, "state": as in ``api``}``; 422 with ``errors`` by field where something was not accepted, and then nothing
has changed.

The rules about where a POST comes from are those of the forms (``same_origin_post``): from a page of this site it needs
nothing, because the browser says so; from elsewhere (an app, another origin in CSRF_TRUSTED_ORIGINS on plain http) it
carries Django's token in the header ``X-CSRFToken``. Cookies are all the identification there is; an app keeps them as a
browser does.

Errors are ``{"error": code}``: 404 ``not_found`` for what is unknown, somebody else's or switched off, always the same;
401 ``login`` where an account is needed. Nothing here may be cached, and nothing costs more than the query for the list
(none for a guest) and those of the catalogue.
"""

from __future__ import annotations

from typing import Any

from django.contrib.auth.decorators import login_not_required
from django.db.models import Sum
from django.http import HttpRequest, JsonResponse
from django.urls import reverse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from ..catalog import get_catalog
from ..conf import app_settings
from ..gifts import Taken, taken
from ..givers import read_giver
from ..kinds import KINDS, WISH, get_kind
from ..lines import Lines
from ..lists import find_list
from ..models import ListItem, ProductList
from ..plain import plain_kind, plain_lines, plain_wish_list
from ..sharing import shown_by
from ..shelf import is_on, lists_of
from ..state import state_of
from .answers import login_needed


@login_not_required
@never_cache
@require_safe
def api(request: HttpRequest) -> JsonResponse:
    """Answer the visitor's state, and which kinds of lists this shop has with their limits."""
    return JsonResponse(
        {
            "state": state_of(lists_of(request)),
            "kinds": [plain_kind(kind) for kind in map(get_kind, KINDS) if kind.is_on],
            "max_quantity": app_settings.max_quantity,
            "keep_days": app_settings.keep_days,
        }
    )


@login_not_required
@never_cache
@require_safe
def api_list(request: HttpRequest, kind: str) -> JsonResponse:
    """Answer the visitor's list of a single kind; a guest's from the cookie, which knows no dates and no titles."""
    if kind == WISH or not is_on(kind):
        return not_found()
    shelf = lists_of(request)
    lines = shelf.get(kind)
    rows = shelf.account.items(kind) if shelf.account is not None else []
    return JsonResponse({"kind": kind, **plain_lines(lines, get_catalog(), rows=rows)})


@login_not_required
@never_cache
@require_safe
def api_wish_lists(request: HttpRequest) -> JsonResponse:
    """Answer the account's wish lists, without their items: one query."""
    if not is_on(WISH):
        return not_found()
    account = lists_of(request).account
    if account is None:
        return login_needed()
    rows: Any = ProductList.objects.of(account.user).wish_lists().annotate(count=Sum("items__quantity", default=0))
    found = [{**_owned(request, row), "count": row.count} for row in rows]
    return JsonResponse({"max_lists": get_kind(WISH).max_lists, "lists": found})


@login_not_required
@never_cache
@require_safe
def api_wish_list(request: HttpRequest, key: str) -> JsonResponse:
    """Answer one of the account's wish lists with its items."""
    if not is_on(WISH):
        return not_found()
    account = lists_of(request).account
    if account is None:
        return login_needed()
    row = find_list(user=account.user, key=key)
    if row is None:
        return not_found()
    items = list(row.items.all())
    return JsonResponse({**_owned(request, row), **plain_lines(_lines(items), get_catalog(), rows=items)})


@login_not_required
@never_cache
@require_safe
def api_shared(request: HttpRequest, key: str) -> JsonResponse:
    """Answer the wish list behind a link, to whoever has it (SL-4): nothing about its owner but the name chosen for it.

    ``taken`` is how many pieces others are getting, ``mine`` how many this browser said; both null for an owner who does
    not want to know. Three queries: the items, the marks, the catalogue.
    """
    found = shown_by(key) if is_on(WISH) else None
    if found is None:
        return not_found()
    row, items = found
    account = lists_of(request).account
    is_own = account is not None and account.user.pk == row.owner_id
    is_surprise = is_own and row.hides_gifts
    marks = Taken() if is_surprise else taken(row, giver=read_giver(request))
    data = plain_lines(_lines(items), get_catalog(), rows=items, hides=("parked", "price_when_saved", "added"))
    for item, line in zip(data["items"], items, strict=True):
        mine = marks.mine.get(line.key)
        item["taken"] = None if is_surprise else marks.all.get(line.key, 0)
        item["mine"] = None if is_surprise else mine.quantity if mine is not None else 0
    return quiet(JsonResponse({"name": row.name, "shown_name": row.shown_name, "is_own": is_own, **data}))


def quiet(response: JsonResponse) -> JsonResponse:
    """Keep the key of a link, which is in the address, from search engines and other sites."""
    response.headers["X-Robots-Tag"] = "noindex"
    response.headers["Referrer-Policy"] = "same-origin"
    return response


def not_found() -> JsonResponse:
    """Answer the same for what is unknown, what is somebody else's and what this shop does not have (SL-3)."""
    return JsonResponse({"error": "not_found"}, status=404)


def _owned(request: HttpRequest, row: ProductList) -> dict[str, Any]:
    share_url = None
    if row.is_shared:
        share_url = request.build_absolute_uri(reverse("thankyou_wishlists:shared", args=[row.share_key]))
    return plain_wish_list(row, share_url=share_url)


def _lines(items: list[ListItem]) -> Lines:
    return Lines(tuple(item.line for item in items), WISH)
