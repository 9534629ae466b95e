"""One coupon for its proven holder: see it, answer, decline, withdraw; and the link that proves the holder (CO-9)."""

from __future__ import annotations

from contextlib import suppress
from datetime import datetime
from typing import Any

from django.contrib.auth.decorators import login_not_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import NoReverseMatch, reverse
from django.utils import timezone
from django.views.decorators.csrf import csrf_protect
from django.views.decorators.http import require_http_methods, require_safe

from .. import unlocking
from ..answering import erase
from ..asking import answers_key, questions_for
from ..exceptions import AnswersMissing, NotUnlockable
from ..forms import UnlockForm, build_unlock_form
from ..holders import keys_of, verified_email_of
from ..links import find_coupon
from ..models import Answer, Coupon
from ..models.questions import AnswerQuerySet
from ..staging import prove, proven
from .headers import add_private_headers
from .tickets import Ticket, for_tickets, settle_state


@login_not_required
@require_safe
def unlock_link(request: HttpRequest, token: str) -> HttpResponse:
    """Exchange the token of a link for a note in the session, so that it leaves the address at once; change nothing
    else (CO-12).
    """
    coupon = find_coupon(token=token)
    if coupon is None:
        return unavailable(request)
    prove(request.session, coupon.code)
    return add_private_headers(redirect("thankyou_coupons:coupon", pk=coupon.pk), referrer="no-referrer")


@login_not_required
@csrf_protect
@require_http_methods(["GET", "HEAD", "POST"])
def coupon(request: HttpRequest, pk: int) -> HttpResponse:
    """Show a coupon to its proven holder and take the answers; everybody else gets one and the same page (CO-6)."""
    keys = keys_of(getattr(request, "user", None))
    found = _find(request, pk, keys=keys)
    if found is None:
        return unavailable(request)
    if request.method == "POST":
        return _act(request, found, keys=keys)
    return _show(request, found, keys=keys)


def unavailable(request: HttpRequest) -> HttpResponse:
    """Return the page for all who have no right to see a coupon, whether there is one or not (CO-6)."""
    return add_private_headers(render(request, "thankyou_coupons/unavailable.html", status=404))


def apply_path() -> str:
    """Return where "use it" leads, or an empty text where the entry of codes is not in the URL configuration."""
    with suppress(NoReverseMatch):
        return reverse("thankyou_coupons:apply")
    return ""


def _find(request: HttpRequest, pk: int, *, keys: tuple[str, ...]) -> Coupon | None:
    """Return the coupon if this browser or this account has shown a right to it. The same work for an unknown one."""
    found = for_tickets(Coupon.objects.filter(pk=pk), now=timezone.now()).first()
    if found is None or not (found.code in proven(request.session) or found.holder_key in keys):
        return None
    return found


def _act(request: HttpRequest, found: Coupon, *, keys: tuple[str, ...]) -> HttpResponse:
    command, done = request.POST.get("command"), ""
    if command == "answer":
        form = build_unlock_form(coupon=found, data=request.POST)
        try:
            unlocking.unlock(
                coupon=found,
                answers=form.answers,
                marketing=form.agrees_to_marketing,
                email=verified_email_of(getattr(request, "user", None)),
                request=request,
            )
        except AnswersMissing:
            # What was valid is stored; the form goes on with the rest, and with what was typed there.
            return _show(request, found, keys=keys, form=build_unlock_form(coupon=found, data=request.POST), status=422)
        except NotUnlockable:
            # The page itself says what has become of the coupon.
            pass
    elif command == "decline":
        unlocking.decline(coupon=found)
    elif command == "forget":
        erase(answers=_told(found))
        done = "?done=forgotten"
    response = redirect(reverse("thankyou_coupons:coupon", args=[found.pk]) + done)
    return add_private_headers(response)


def _told(found: Coupon) -> AnswerQuerySet:
    """Return what was answered for this very coupon; a link opens no other answers of its holder."""
    return Answer.objects.of(answers_key(found)).filter(coupon=found)


def _show(
    request: HttpRequest,
    found: Coupon,
    *,
    keys: tuple[str, ...],
    form: UnlockForm | None = None,
    status: int = 200,
) -> HttpResponse:
    now = timezone.now()
    ticket = _ticket(found, now=now)
    if ticket.is_open:
        form = form or build_unlock_form(coupon=found, questions=ticket.questions)
    context: dict[str, Any] = {
        "ticket": ticket,
        "coupon": found,
        "campaign": found.campaign,
        "form": form if ticket.is_open else None,
        # Labels only for a browser that came by a link, which may have been passed on: no personal data (TY-1).
        "told": list(_told(found).current(now=now).order_by("pk")),
        "is_account": found.holder_key in keys,
        "is_forgotten": request.GET.get("done") == "forgotten",
        "apply_path": apply_path() if ticket.is_ready else "",
    }
    return add_private_headers(render(request, "thankyou_coupons/coupon.html", context, status=status))


def _ticket(found: Coupon, *, now: datetime) -> Ticket:
    ticket = Ticket(coupon=found, state=settle_state(coupon=found, now=now), now=now)
    if not ticket.is_open:
        return ticket
    questions = questions_for(coupon=found, now=now)
    return Ticket(coupon=found, state=ticket.state, now=now, questions=questions)
