"""The one view to which all action blocks send their forms."""

from __future__ import annotations

import logging
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import swapper
from django.contrib.auth.decorators import login_not_required
from django.core.exceptions import ValidationError
from django.db import transaction
from django.http import HttpResponseBase, HttpResponseRedirect, JsonResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe
from wagtail.fields import StreamField

from wishlists.origin import same_origin_post

from ..blocks.base import Action, ActionBlock
from ..flow import Flow
from ..headers import add_private_headers
from ..outcomes import with_outcome
from ..visits import page_for, stranger_flow, visit_order
from .orders import show, unavailable

if TYPE_CHECKING:
    from django.http import HttpRequest

logger = logging.getLogger(__name__)


@login_not_required
@same_origin_post
@transaction.non_atomic_requests
@require_POST
def act(request: HttpRequest, page_id: int, block_id: str) -> HttpResponseBase:
    """Find the block by its id, check its form, and do what it is for.

    The order's page is chosen again, by the same rules as when it was shown: a block of another page does not answer.
    With errors the page comes back with the form as it was filled (422); else a redirect leads back to the block.
    """
    try:
        page, flow = _page_and_flow(request, page_id)
    except Exception:
        logger.exception("An action could not find out about its order.")
        return unavailable(request)
    child = _find_block(page, block_id) if page is not None else None
    if page is None or child is None or not child.block.is_shown(child.value, flow):
        # The page was changed or the offer is over: what stands there now says so.
        return _back(flow.url)
    form = child.block.get_form(value=child.value, flow=flow, block_id=block_id, data=request.POST)
    if form.is_valid():
        try:
            with transaction.atomic():
                outcome = child.block.act(Action(value=child.value, flow=flow, data=form.cleaned_data, request=request))
        except ValidationError as error:
            form.add_error(None, error)
        except Exception:
            logger.exception("The action of a %s block failed.", child.block_type)
            form.add_error(None, _("Something went wrong on our side. Nothing was changed; please try again."))
        else:
            return _back(outcome.redirect_url or with_outcome(flow.url, block_id=block_id, code=outcome.code))
    flow = replace(flow, forms={block_id: form})
    return show(request, flow, status=422) if flow.has_order else _page_itself(request, page, flow)


@login_not_required
@require_safe
def clock(request: HttpRequest) -> HttpResponseBase:
    """Tell the server's time: countdowns follow it, not the visitor's clock (CD-1)."""
    return add_private_headers(JsonResponse({"now": timezone.now().isoformat()}))


def _page_and_flow(request: HttpRequest, page_id: int) -> tuple[Any, Flow]:
    number = request.POST.get("order", "")
    if number:
        flow = visit_order(request=request, number=number)
        page: Any = page_for(request=request, flow=flow)
        if page is None or page.pk != page_id:
            return None, flow
        return page, replace(flow, source=_source(page))
    model = swapper.load_model("wagtailcore", "Page")
    page = model.objects.live().filter(pk=page_id).specific().first()
    flow = stranger_flow(request=request)
    if page is None or not _may_see(request, page):
        return None, flow
    return page, replace(flow, url=_next_url(request) or flow.url, source=_source(page))


def _may_see(request: HttpRequest, page: Any) -> bool:
    """Tell whether the page's own privacy settings let this visitor in."""
    return all(restriction.accept_request(request) for restriction in page.get_view_restrictions())


def _source(page: Any) -> str:
    return f"page {page.pk}, revision {page.live_revision_id or '-'}"


def _next_url(request: HttpRequest) -> str:
    """Return the page to go back to, if it is one of ours (CM-3)."""
    url = request.POST.get("next", "")
    safe = url_has_allowed_host_and_scheme(url, allowed_hosts={request.get_host()}, require_https=request.is_secure())
    return url if safe and url.startswith("/") else ""


def _find_block(page: Any, block_id: str) -> Any:
    """Return the action block with this id from any StreamField of the page."""
    for field in page._meta.get_fields():
        if isinstance(field, StreamField):
            for child in getattr(page, field.name):
                if child.id == block_id and isinstance(child.block, ActionBlock):
                    return child
    return None


def _page_itself(request: HttpRequest, page: Any, flow: Flow) -> HttpResponseBase:
    """Serve the page on which the form stands: also a thank-you page, where somebody without an order looks at it."""
    from ..serving import serve_page

    request.thankyou_flow = flow  # type: ignore[attr-defined]
    # The page itself knows nothing of this form; for it the request is a plain look.
    request.method = "GET"
    response = serve_page(page, request)
    response.status_code = 422
    return add_private_headers(response)


def _back(url: str) -> HttpResponseBase:
    response = HttpResponseRedirect(url or reverse("thankyou_flows:thank_you"))
    # A POST becomes a GET, whatever the browser thinks of 302.
    response.status_code = 303
    return add_private_headers(response)
