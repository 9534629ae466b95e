"""Mails on the screen: the preview of a follow-up with sample customers, and what a customer saw."""

from __future__ import annotations

import logging
from typing import Final
from urllib.parse import urlsplit

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.utils.translation import get_language, gettext
from wagtail.utils.decorators import xframe_options_sameorigin_override

from ..models import FollowUp, FollowUpStep

logger = logging.getLogger(__name__)

#: A mail brings its styles along in its tags, and nothing that runs. ``{images}`` is where pictures may come from.
_POLICY: Final = (
    "default-src 'none'; style-src 'unsafe-inline'; img-src 'self' data:{images}; frame-src 'self'; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'self'"
)


def guard(response: HttpResponse, *, sandbox: bool = False) -> HttpResponse:
    """Let a page with a mail in it run nothing, send nothing, and load pictures from the shop alone. A mail may not tell
    anybody that staff looked at it (OP-6). ``sandbox``: the page is the mail itself, and no part of this site.
    """
    policy = _POLICY.format(images=_own_origin())
    # Links open nothing either: a click of staff must not press the customer's buttons.
    response["Content-Security-Policy"] = f"{policy}; sandbox" if sandbox else policy
    response["Referrer-Policy"] = "no-referrer"
    response["X-Content-Type-Options"] = "nosniff"
    response["Cache-Control"] = "private, no-store"
    response["X-Robots-Tag"] = "noindex"
    return response


def _own_origin() -> str:
    """Return " https://shop.example" if mails name the shop by it, else an empty text."""
    from ..mail.links import base_url

    try:
        parts = urlsplit(base_url())
    except ValueError:
        return ""
    # What has more in it than a name and a port would be another rule of the policy.
    plain = parts.netloc.replace(".", "").replace("-", "").replace(":", "").isalnum()
    return f" {parts.scheme}://{parts.netloc}" if parts.scheme in {"http", "https"} and plain else ""


def step_of(follow_up: FollowUp, number: int) -> FollowUpStep | None:
    """Return one of the mails, counted from 1, as they stand in the form; None if there are not so many."""
    steps = sorted(follow_up.steps.all(), key=lambda step: (step.sort_order or 0, step.pk or 0))
    return steps[number - 1] if 0 < number <= len(steps) else None


def read_mode(mode_name: str) -> tuple[int, str]:
    """Return the number of the mail and the sample customer that a preview mode names."""
    number, _colon, sample = mode_name.partition(":")
    return (int(number) if number.isdecimal() else 1), sample


@xframe_options_sameorigin_override
def show_mail(request: HttpRequest, html: str) -> HttpResponse:
    """Show the HTML of a mail in a frame."""
    return guard(HttpResponse(html), sandbox=True)


def show_preview(follow_up: FollowUp, request: HttpRequest, mode_name: str) -> HttpResponse:
    """Show one mail of a follow-up, saved or not, with sample data."""
    from ..followups.composing import render_step
    from ..mail.samples import sample_facts

    number, sample = read_mode(mode_name)
    step = step_of(follow_up, number)
    mail, problem = None, ""
    if step is None:
        problem = gettext("There is no mail yet. Add one on the tab “The mails”.")
    else:
        try:
            mail = render_step(step, facts=sample_facts(sample), kind=follow_up.kind)
        except Exception:
            # Blocks may be anybody's, and half-written.
            logger.warning("A preview of follow-up %s could not be written.", follow_up.pk, exc_info=True)
            problem = gettext("This mail cannot be shown as it is now. Please look at its text once more.")
    context = {
        "mail": mail,
        "problem": problem,
        "preheader": step.preheader if step is not None else "",
        "number": number,
        "now": timezone.now(),
        "language": get_language(),
    }
    return guard(render(request, "thankyou_flows/admin/mail_preview.html", context))
