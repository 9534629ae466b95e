"""Sign-ups of visitors: what the service needs, read from a request."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from django.utils.module_loading import import_string
from django.utils.translation import get_language
from wagtail.models import Site

from ..conf import app_settings
from ..models import ConsentReceipt
from ..ratelimit import client_ip
from .errors import ChallengeFailed
from .lists import DEFAULT_LIST
from .signing_up import subscribe

if TYPE_CHECKING:
    from django.http import HttpRequest

logger = logging.getLogger(__name__)


def subscribe_visitor(
    *,
    request: HttpRequest,
    email: str,
    wording: str,
    method: ConsentReceipt.Method,
    list_slug: str = DEFAULT_LIST,
    source: str = "",
    path: str | None = None,
) -> None:
    """Call ``subscribe`` for whoever sent this request: limits, language, site and address of the shop are read from it.

    ``path`` is where the wording stood; without one, the request's own. Raises what ``subscribe`` raises, and
    ChallengeFailed if the shop's ``SIGN_UP_CHALLENGE`` says no.
    """
    if not has_passed_challenge(request):
        raise ChallengeFailed
    site = Site.find_for_request(request)
    subscribe(
        email=email,
        wording=wording,
        list_slug=list_slug,
        method=method,
        source=source,
        path=request.path if path is None else path,
        language=get_language() or "",
        ip_key=client_ip(request),
        base_url=request.build_absolute_uri("/"),
        site_name=site.site_name if site is not None else "",
    )


def has_passed_challenge(request: HttpRequest) -> bool:
    """Return what the callable of ``SIGN_UP_CHALLENGE`` says of this visitor (EM-3); true without one. One that fails has
    not said yes.
    """
    if not app_settings.sign_up_challenge:
        return True
    try:
        return bool(import_string(app_settings.sign_up_challenge)(request))
    except Exception:
        logger.exception("SIGN_UP_CHALLENGE failed, so a sign-up was not taken.")
        return False
