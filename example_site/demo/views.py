"""Pages that only a demo has: the mailbox of everybody, and the bank that does what you say."""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import wraps
from typing import Any

from csp.decorators import csp_replace
from django.conf import settings
from django.contrib import messages
from django.contrib.auth.decorators import login_not_required
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.clickjacking import xframe_options_sameorigin
from django.views.decorators.http import require_POST, require_safe

from example_site.shop import payments
from example_site.shop.models import Payment
from example_site.shop.payment_methods import PaymentMethod

from .mailbox import list_letters, read_letter

View = Callable[..., HttpResponse]


def demo_only(view: View) -> View:
    """Answer 404 unless this is a demo, and never cache."""

    @wraps(view)
    def wrapper(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        if not (settings.DEBUG or settings.DEMO):
            raise Http404
        return view(request, *args, **kwargs)

    return login_not_required(never_cache(wrapper))


@demo_only
@require_safe
def mailbox(request: HttpRequest) -> HttpResponse:
    """List every mail the shop has written, newest first."""
    return render(request, "demo/mailbox.html", {"letters": list_letters()})


@demo_only
@require_safe
def message(request: HttpRequest, key: str) -> HttpResponse:
    """Show one mail."""
    letter = read_letter(key)
    if letter is None:
        raise Http404
    return render(request, "demo/message.html", {"letter": letter})


@demo_only
@require_safe
@xframe_options_sameorigin
@csp_replace(
    {
        "default-src": ["'none'"],
        "script-src": ["'none'"],
        "style-src": ["'unsafe-inline'"],
        "img-src": ["'self'", "data:"],
        "frame-ancestors": ["'self'"],
        "sandbox": ["allow-popups", "allow-popups-to-escape-sandbox"],
    }
)
def message_html(request: HttpRequest, key: str) -> HttpResponse:
    """Give the HTML part of a mail, for the frame around it: no script, no request to anybody else."""
    letter = read_letter(key)
    if letter is None or not letter.html:
        raise Http404
    # Links open beside the mailbox: inside the sandbox no page of the shop could use its cookies.
    return HttpResponse(re.sub(r"(?i)(<head[^>]*>)", r'\1<base target="_blank">', letter.html, count=1))


@demo_only
@require_safe
def bank(request: HttpRequest) -> HttpResponse:
    """List the transfers that the shop waits for."""
    waiting = Payment.objects.pending().filter(method=PaymentMethod.BANK).select_related("order")
    return render(request, "demo/bank.html", {"payments": waiting})


@demo_only
@require_POST
def bank_answer(request: HttpRequest, reference: str) -> HttpResponse:
    """Play the bank's message to the shop: the money has come, or never will. Saying it twice changes nothing."""
    payment = get_object_or_404(Payment.objects.select_related("order"), reference=reference, method=PaymentMethod.BANK)
    number = payment.order.number
    match request.POST.get("answer"):
        case "arrived":
            payments.record_success(payment=payment)
            messages.success(
                request, _("The bank told the shop that the money for %(number)s has come.") % {"number": number}
            )
        case "never":
            payments.record_failure(payment=payment)
            messages.info(
                request, _("The bank told the shop that no money will come for %(number)s.") % {"number": number}
            )
    return redirect("demo:bank")
