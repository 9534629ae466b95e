"""The answer of a page that has to write while the database is away, or can only be read (OP-4)."""

from __future__ import annotations

import functools
import logging
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Concatenate, Final, ParamSpec

from django.db import InterfaceError, InternalError, OperationalError
from django.http import HttpResponse, HttpResponseBase
from django.shortcuts import render
from django.utils.html import format_html
from django.utils.translation import gettext as _

from ..flow import Flow
from ..headers import add_private_headers
from ..mail.errors import for_logs

if TYPE_CHECKING:
    from django.http import HttpRequest

logger = logging.getLogger(__name__)

P = ParamSpec("P")
View = Callable[Concatenate["HttpRequest", P], HttpResponseBase]

#: Seconds after which it is worth trying again.
RETRY_AFTER: Final = 180
#: What a database raises that is not there, is full, or may only be read. PostgreSQL's standby says InternalError.
AWAY: Final = (OperationalError, InterfaceError, InternalError)


def later_without_database(view: View[P]) -> View[P]:
    """Answer 503 with a short page and ``Retry-After`` where the database does not let the view do its work: mail
    programs send a one-click again then. For views whose verbs do all or nothing. Everything else is raised as ever.
    """

    @functools.wraps(view)
    def wrapper(request: HttpRequest, /, *args: P.args, **kwargs: P.kwargs) -> HttpResponseBase:
        try:
            return view(request, *args, **kwargs)
        except AWAY as error:
            # Not the error's text, nor the address of the page: its token is a secret (OP-6).
            logger.error("The database did not let %s work: %s", view.__name__, for_logs(error))
        response: Any = _page(request)
        # What Django itself would log of a 503, and mail to the admins, is the address with the token.
        response._has_been_logged = True
        response.headers["Retry-After"] = str(RETRY_AFTER)
        return add_private_headers(response, referrer="strict-origin")

    return wrapper


def _page(request: HttpRequest) -> HttpResponse:
    try:
        return render(request, "thankyou_flows/mail/later.html", {"flow": Flow(url=request.path)}, status=503)
    except Exception as error:
        # The site's own layout may ask the database, too.
        logger.error("The site's layout failed as well: %s", for_logs(error))
    page = "<!doctype html><title>{}</title><h1>{}</h1><p>{}</p>"
    title, words = _("One moment, please"), _("Nothing was changed; please try again in a few minutes.")
    return HttpResponse(format_html(page, title, title, words), status=503)
