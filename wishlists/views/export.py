"""Lists as files for those who keep them."""

from __future__ import annotations

from django.contrib.auth.decorators import login_not_required
from django.http import Http404, HttpRequest, HttpResponseBase
from django.views.decorators.http import require_safe

from ..catalog import get_catalog
from ..exporting import export_rows
from ..kinds import SAVED, WISH, get_kind
from ..lines import Lines
from ..lists import find_list
from ..shelf import is_on, lists_of
from ..spreadsheets import download_csv
from .answers import account_required


@login_not_required
@require_safe
def saved_export(request: HttpRequest) -> HttpResponseBase:
    """Download what is saved for later as CSV, a guest's too; what an earlier visit left is not part of it (CK-5)."""
    if not is_on(SAVED):
        raise Http404
    shelf = lists_of(request)
    items = shelf.account.items(SAVED) if shelf.account is not None else []
    rows = export_rows(shelf.get(SAVED), get_catalog(), items=items, to_url=request.build_absolute_uri)
    return download_csv(list(rows), name=str(get_kind(SAVED).label))


@account_required
@require_safe
def list_export(request: HttpRequest, key: str) -> HttpResponseBase:
    """Download a wish list as CSV: its owner; for everybody else there is no such list (SL-3)."""
    if not is_on(WISH):
        raise Http404
    row = find_list(user=request.user, key=key)
    if row is None:
        raise Http404
    items = list(row.items.all())
    lines = Lines(tuple(item.line for item in items), WISH)
    rows = export_rows(lines, get_catalog(), items=items, to_url=request.build_absolute_uri)
    # All of it is read before the first byte goes out: a file that breaks off would look whole.
    return download_csv(list(rows), name=row.name)
