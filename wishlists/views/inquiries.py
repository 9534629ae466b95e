"""Asking the shop something, about a product or a list or about nothing of the kind; without an account."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urljoin

from django.contrib.auth.decorators import login_not_required
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render, resolve_url
from django.urls import reverse
from django.utils.cache import add_never_cache_headers
from django.utils.translation import get_language, gettext
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_http_methods, require_safe

from ..catalog import accepts_options, get_catalog, option_titles_of
from ..clients import client_of
from ..conf import app_settings
from ..exceptions import NoCatalog
from ..inquiries import MOST_PRODUCTS, WINDOW, TooManyQuestions
from ..inquiries import ask as ask_shop
from ..inquiry_forms import AskForm
from ..kinds import single
from ..lines import Line, is_ref
from ..models import ListItem, ProductList
from ..origin import same_origin_post
from ..shelf import lists_of
from .answers import SeeOther, add_list_error, as_json, errors_as_json, wants_json

SENT = _("Thank you, your question has reached us. Our answer comes to your e-mail address.")


@dataclass(frozen=True, slots=True, kw_only=True)
class About:
    """What a question is about. ``fields`` are the hidden ones that say it again in the POST."""

    products: tuple[Mapping[str, Any], ...] = ()
    #: Of the list, but not of the question: not sold any more, or above MOST_PRODUCTS.
    left_out: int = 0
    fields: Mapping[str, str] = field(default_factory=dict)
    #: It was named, and it is not there.
    is_missing: bool = False


@login_not_required
@require_http_methods(["GET", "HEAD", "POST"])
@same_origin_post
def ask(request: HttpRequest) -> HttpResponse:
    """Show the form (``?product=`` with ``&options=``, or ``?list=`` with a kind or the key of an own wish list); keep
    the question that is sent.

    The products are looked up in the visitor's own list and the catalogue, and never taken from the form. A GET changes
    nothing. What was typed stands in the form again whatever is wrong: 422, or 429 above the limits.
    """
    if request.method != "POST":
        about = _about(request, request.GET)
        if about.is_missing:
            raise Http404
        account = lists_of(request).account
        email = getattr(account.user, "email", "") if account is not None else ""
        return _page(request, _form(initial={"email": email}), about)
    about = _about(request, request.POST)
    form = _form(request.POST)
    if about.is_missing:
        form.add_error(
            None, gettext("What you ask about is not there any more. You can send your question without it.")
        )
        about = About()
    if not form.is_valid():
        return _refused(request, form, about)
    data = form.cleaned_data
    try:
        ask_shop(
            email=data["email"],
            name=data["name"],
            text=data["text"],
            products=about.products,
            language=get_language() or "",
            client=client_of(request),
        )
    except TooManyQuestions as error:
        add_list_error(form, error)
        response = _refused(request, form, about, status=429)
        response.headers["Retry-After"] = str(int(WINDOW.total_seconds()))
        return response
    if wants_json(request):
        return as_json(request, str(SENT))
    return SeeOther(reverse("thankyou_wishlists:ask_sent"))


@login_not_required
@require_safe
def ask_sent(request: HttpRequest) -> HttpResponse:
    """Say that the question has arrived, and what comes next. The page knows nothing of the question."""
    context = {"sent": SENT, "shop_url": resolve_url(app_settings.shop_url)}
    return _private(render(request, "thankyou_wishlists/ask_sent.html", context))


def _form(data: Any = None, **kwargs: Any) -> AskForm:
    return AskForm(data, auto_id="ty-ask-%s", **kwargs)


def _page(request: HttpRequest, form: AskForm, about: About, *, status: int = 200) -> HttpResponse:
    context = {"form": form, "about": about, "days": app_settings.inquiry_days}
    return _private(render(request, "thankyou_wishlists/ask.html", context, status=status))


def _refused(request: HttpRequest, form: AskForm, about: About, *, status: int = 422) -> HttpResponse:
    if wants_json(request):
        return errors_as_json(request, form, status=status)
    return _page(request, form, about, status=status)


def _private(response: HttpResponse) -> HttpResponse:
    """The form has a stamp of its own, and an account's address: no cache keeps it, no search engine lists it."""
    add_never_cache_headers(response)
    response.headers["X-Robots-Tag"] = "noindex"
    return response


def _about(request: HttpRequest, data: Mapping[str, str]) -> About:
    """Return what a question is about: at most one query for the list, one for its products, one for their options."""
    product, options, name = (data.get(key, "") for key in ("product", "options", "list"))
    if product:
        fields = {"product": product, "options": options}
        known = is_ref(product) and is_ref(options, empty=True)
        lines: list[Line] | None = [Line(product, 1, options)] if known else None
    elif name:
        fields = {"list": name}
        lines = _lines_of(request, name)
    else:
        return About()
    # Of a list that was shown there was something to ask about; one that is empty by now, is not that list.
    if lines is None or (not lines and request.method == "POST"):
        return About(is_missing=True)
    products = _products_of(request, lines, are_own=not product)
    if not products and (product or request.method == "POST"):
        return About(is_missing=True)
    return About(
        products=tuple(products[:MOST_PRODUCTS]),
        left_out=len(lines) - len(products[:MOST_PRODUCTS]),
        fields=fields if products else {},
    )


def _lines_of(request: HttpRequest, name: str) -> list[Line] | None:
    """Return what is on an own list, by its kind or its key; None if there is no such list, or it is another's (SL-3)."""
    shelf = lists_of(request)
    if name in (kind.name for kind in single()):
        return list(shelf.get(name))
    account = shelf.account
    if account is None or not is_ref(name):
        return None
    lists = ProductList.objects.of(account.user).wish_lists().filter(key=name)
    items = list(ListItem.objects.of(account.user).filter(list__in=lists).order_by("pk"))
    return [item.line for item in items] if items or lists.exists() else None


def _products_of(request: HttpRequest, lines: list[Line], *, are_own: bool) -> list[dict[str, Any]]:
    """Return the lines as a question keeps them, those that the shop does not know left out."""
    try:
        catalog = get_catalog()
    except NoCatalog:
        return []
    cards = catalog.get_products(refs=list(dict.fromkeys(line.product_ref for line in lines))) if lines else {}
    known = [line for line in lines if line.product_ref in cards]
    if not are_own:
        # One may ask about a product in general, or in options that there are; not write anything there.
        known = [line for line in known if not line.options or accepts_options(cards[line.product_ref], line.options)]
    titles = option_titles_of(catalog, keys=[line.key for line in known], cards=cards)
    base = request.build_absolute_uri("/")
    return [
        {
            "product_ref": line.product_ref,
            "options": line.options,
            "option_title": str(titles.get(line.key, "")),
            "title": str(card.title)[:200],
            "quantity": line.quantity,
            # Whole, because it also stands in the mail with the answer.
            "url": urljoin(base, card.url) if card.url else "",
        }
        for line in known
        for card in (cards[line.product_ref],)
    ]
