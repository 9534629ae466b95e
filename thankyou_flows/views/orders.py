"""The thank-you view: one order, at a stable address, on a page that the shop owner edited."""

from __future__ import annotations

import logging
from dataclasses import replace
from typing import TYPE_CHECKING

from django import forms
from django.contrib.auth.decorators import login_not_required
from django.db import transaction
from django.http import HttpResponseBase, HttpResponseRedirect
from django.template.response import SimpleTemplateResponse, TemplateResponse
from django.urls import reverse
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_POST, require_safe

from coupons.holders import customer_key
from wishlists.origin import same_origin_post

from ..access import forget_orders, grant_link, grant_ordering_browser, latest_order, settle_access
from ..flow import Flow
from ..headers import add_private_headers
from ..links import find_link
from ..ratelimit import client_ip, hit
from ..serving import serve_page
from ..stores import get_store
from ..values import AccessLevel
from ..visits import is_possible_number, page_for, stranger_flow, visit_order

if TYPE_CHECKING:
    from django.http import HttpRequest

logger = logging.getLogger(__name__)

#: The pseudo block id under which the "is this your order?" form travels.
CONFIRM_EMAIL = "confirm-email"


class ConfirmEmailForm(forms.Form):
    """Proof by knowledge: the e-mail address of the order."""

    email = forms.EmailField(
        label=_("E-mail address of the order"),
        max_length=254,
        widget=forms.EmailInput(attrs={"autocomplete": "email"}),
    )


@login_not_required
@transaction.non_atomic_requests
@require_safe
def latest(request: HttpRequest) -> HttpResponseBase:
    """Lead to the order that this browser placed last, or show the page that everybody sees."""
    number = latest_order(session=request.session)
    if number is not None and is_possible_number(number):
        response = HttpResponseRedirect(reverse("thankyou_flows:order", args=[number]))
        return add_private_headers(response)
    return show(request, stranger_flow(request=request))


@login_not_required
@transaction.non_atomic_requests
@require_safe
def order(request: HttpRequest, number: str) -> HttpResponseBase:
    """Show an order to those who may see it, and one and the same page to everybody else (TY-1, TY-2)."""
    try:
        flow = visit_order(request=request, number=number)
    except Exception:
        logger.exception("The shop could not say what it knows of an order.")
        return unavailable(request)
    return show(request, flow)


@login_not_required
@require_safe
def open_link(request: HttpRequest, token: str) -> HttpResponseBase:
    """Exchange the token of a mailed link for a note in the session, so that it leaves the address at once (TY-5)."""
    allowed = hit(name="order-link", key=client_ip(request), limits=["20/minute"], if_broken=True)
    link = find_link(token=token)
    if link is None or not allowed:
        return show(request, stranger_flow(request=request))
    grant_link(session=request.session, link=link)
    response = HttpResponseRedirect(reverse("thankyou_flows:order", args=[link.number]))
    return add_private_headers(response, referrer="no-referrer")


@login_not_required
@same_origin_post
@transaction.non_atomic_requests
@require_POST
def confirm_email(request: HttpRequest, number: str) -> HttpResponseBase:
    """Raise a visitor who has a link to full access, if they know the order's e-mail address (TY-1, TY-9)."""
    store = get_store()
    level = AccessLevel.NONE
    if is_possible_number(number):
        level = settle_access(session=request.session, user=getattr(request, "user", None), number=number, store=store)
    if level is AccessLevel.NONE:
        return show(request, stranger_flow(request=request, store=store))
    address = reverse("thankyou_flows:order", args=[number])
    if level is AccessLevel.FULL:
        return add_private_headers(HttpResponseRedirect(address))
    form = ConfirmEmailForm(request.POST)
    if form.is_valid():
        allowed = hit(name="confirm-email", key=number, limits=["5/5 minutes"])
        allowed = hit(name="confirm-email-ip", key=client_ip(request), limits=["10/minute"]) and allowed
        found = store.get_order(number=number)
        if not allowed:
            form.add_error("email", _("Too many tries. Please wait five minutes."))
        elif found is None or not found.email or customer_key(found.email) != customer_key(form.cleaned_data["email"]):
            form.add_error("email", _("This is not the address the order was placed with."))
        else:
            grant_ordering_browser(session=request.session, number=number, again=True)
            return add_private_headers(HttpResponseRedirect(address))
    flow = visit_order(request=request, number=number)
    return show(request, replace(flow, forms={CONFIRM_EMAIL: form}), status=422)


@login_not_required
@same_origin_post
@require_POST
def forget(request: HttpRequest) -> HttpResponseBase:
    """Take back what this browser may see: "hide my details on this computer" (TY-11)."""
    forget_orders(session=request.session)
    response = HttpResponseRedirect(reverse("thankyou_flows:thank_you"))
    response.headers["Clear-Site-Data"] = '"cache"'
    return add_private_headers(response)


def show(request: HttpRequest, flow: Flow, *, status: int = 200) -> HttpResponseBase:
    """Render the page that fits the flow; the plain built-in one if the shop has none, or if its page fails (TY-10)."""
    try:
        page = page_for(request=request, flow=flow)
        if page is not None:
            revision = page.live_revision_id if hasattr(page, "live_revision_id") else None
            flow = replace(flow, source=f"page {page.pk}, revision {revision or '-'}")
            request.thankyou_flow = flow  # type: ignore[attr-defined]
            # Hooks and page types see a plain GET: the form that was sent is in the flow.
            request.method = "GET"
            response = serve_page(page, request)
            return _finished(response, status)
    except Exception:
        logger.exception("The thank-you page failed; the built-in one is shown instead.")
    return _finished(built_in_page(request, flow), status)


def built_in_page(request: HttpRequest, flow: Flow) -> HttpResponseBase:
    """Return the plain page that a shop has before anybody made one in the CMS."""
    request.thankyou_flow = flow  # type: ignore[attr-defined]
    return TemplateResponse(request, "thankyou_flows/built_in_page.html", {"flow": flow})


def unavailable(request: HttpRequest) -> HttpResponseBase:
    """Return the friendly 503 for the moment when the shop itself does not answer."""
    return _finished(TemplateResponse(request, "thankyou_flows/unavailable.html", {"flow": Flow()}), 503)


def _finished(response: HttpResponseBase, status: int) -> HttpResponseBase:
    if isinstance(response, SimpleTemplateResponse):
        # Rendered here, where a failing page can still be replaced by the built-in one.
        response.render()
    if status != 200 and response.status_code == 200:
        response.status_code = status
    return add_private_headers(response)
