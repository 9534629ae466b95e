"""How the views of this app answer: a page, a redirect that brings a note along, or JSON for those who ask for it."""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import wraps
from typing import Any, Concatenate, ParamSpec

from django.contrib.auth.decorators import login_not_required, login_required
from django.core.exceptions import NON_FIELD_ERRORS
from django.db import transaction
from django.forms import BaseForm
from django.http import HttpRequest, HttpResponse, HttpResponseBase, HttpResponseRedirect, JsonResponse
from django.urls import reverse
from django.utils.encoding import iri_to_uri
from django.utils.http import url_has_allowed_host_and_scheme
from django.views.decorators.http import require_http_methods

from .. import notes
from ..lines import Line, Lines, is_ref
from ..models import ProductList
from ..notes import Note
from ..shelf import lists_of
from ..signals import list_changed
from ..state import state_of

#: Longest ``next`` in bytes; Django refuses redirects of more than 2,048.
MAX_NEXT = 1900


P = ParamSpec("P")
View = Callable[Concatenate[HttpRequest, P], HttpResponseBase]


class SeeOther(HttpResponseRedirect):
    """After a POST: go and GET that page."""

    status_code = 303


def post_or(page: str) -> Callable[[View[P]], View[P]]:
    """Take POSTs; whoever comes with GET is led to that page of ours, which has the same key if it has one.

    After a step that was refused, the address of a form is in the address bar, to be opened again. GET changes nothing.
    """

    def decorate(view: View[P]) -> View[P]:
        @require_http_methods(["GET", "HEAD", "POST"])
        @wraps(view)
        def wrapper(request: HttpRequest, /, *args: P.args, **kwargs: P.kwargs) -> HttpResponseBase:
            if request.method == "POST":
                return view(request, *args, **kwargs)
            return SeeOther(reverse(f"thankyou_wishlists:{page}", kwargs=kwargs))

        return wrapper

    return decorate


def wants_json(request: HttpRequest) -> bool:
    """Say whether the client would rather have JSON than a page."""
    # A browser's own Accept is long, and weighing it takes as long as signing a cookie: only if JSON is in it.
    if not re.search(r"application/(json|\*)", request.headers.get("Accept", ""), re.IGNORECASE):
        return False
    return request.get_preferred_type(["text/html", "application/json"]) == "application/json"


def is_safe(request: HttpRequest, to: str) -> bool:
    """Say whether ``to`` is an address of this site, and of a length that browsers and Django accept."""
    secure, hosts = request.is_secure(), {request.get_host()}
    return len(iri_to_uri(to)) <= MAX_NEXT and url_has_allowed_host_and_scheme(to, hosts, require_https=secure)


def posted_line(request: HttpRequest) -> Line | None:
    """Return the product that a POST names in ``product_ref`` and ``options``; None for what cannot be one (CK-3)."""
    ref, options = request.POST.get("product_ref", ""), request.POST.get("options", "")
    return Line(ref, options=options) if is_ref(ref) and is_ref(options, empty=True) else None


def account_required(view: View[P]) -> View[P]:
    """Send guests to the login page, as ``login_required`` does; those who ask for JSON get 401 and a word instead."""
    protected = login_required(view)

    @wraps(view)
    def wrapper(request: HttpRequest, /, *args: P.args, **kwargs: P.kwargs) -> HttpResponseBase:
        if wants_json(request) and lists_of(request).account is None:
            return login_needed()
        return protected(request, *args, **kwargs)

    # A site's LoginRequiredMiddleware would only know the redirect.
    return login_not_required(wrapper)


def login_needed() -> JsonResponse:
    """Answer that an account is needed, to a program."""
    return JsonResponse({"error": "login"}, status=401, headers={"Cache-Control": "no-store"})


def as_json(request: HttpRequest, message: str, *, status: int = 200, **more: Any) -> JsonResponse:
    """Answer a POST with a message for the customer and what the badges and hearts show now."""
    return JsonResponse({"message": message, "state": state_of(lists_of(request)), **more}, status=status)


def errors_as_json(request: HttpRequest, form: BaseForm, *, status: int = 422) -> JsonResponse:
    """Answer a form that was not accepted: the first error as the message, all of them by field."""
    return as_json(request, first_error(form), status=status, errors=form.errors)


def first_error(form: BaseForm) -> str:
    """Return the first message of a form that was not accepted."""
    return str(next(iter(form.errors.values()))[0])


def back_with_note(request: HttpRequest, to: str, note: Note) -> HttpResponse:
    """Go to ``to`` (an address of ours) and say there what happened."""
    response = SeeOther(to)
    notes.leave(response, note)
    return response


def tell(
    request: HttpRequest,
    action: str,
    *,
    kind: str,
    product_ref: str,
    options: str = "",
    product_list: ProductList | None = None,
    quantity: int | None = None,
) -> int:
    """Send the news of a changed line up, after commit; return the quantity that the line has now.

    A guest's change has no row to wait for, and does not even need a connection.
    """
    shelf = lists_of(request)
    lines = shelf.get(kind) if product_list is None else None
    if quantity is None:
        line = lines.find(product_ref=product_ref, options=options) if lines is not None else None
        quantity = line.quantity if line else 0

    def send() -> None:
        list_changed.send_robust(
            sender=Lines,
            request=request,
            kind=kind,
            lines=lines,
            list=product_list,
            action=action,
            product_ref=product_ref,
            options=options,
            quantity=quantity,
        )

    if product_list is None and shelf.account is None:
        send()
    else:
        transaction.on_commit(send)
    return quantity


def add_list_error(form: BaseForm, error: Exception, *, field: str | None = None) -> None:
    """Put what a verb refused beside the field it is about, or on top of the form."""
    form.add_error(field if field in form.fields else NON_FIELD_ERRORS, str(error))
