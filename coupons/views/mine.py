"""All coupons of a signed-in customer, and what they have told the shop: to see, to take along, to delete."""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import suppress
from datetime import datetime

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.csrf import csrf_protect
from django.views.decorators.http import require_http_methods

from ..answering import erase, export_answers
from ..asking import open_questions
from ..exceptions import CouponBusy
from ..holders import CUSTOMER_PREFIX, USER_PREFIX, keys_of
from ..merging import merge
from ..models import Answer, Coupon, Question
from ..models.questions import AnswerQuerySet
from ..spreadsheets import as_csv, as_download
from ..staging import proven
from ..wording import day_in_words
from .headers import add_private_headers
from .tickets import Group, Ticket, for_tickets, settle_state
from .unlock import apply_path

#: Coupons on the page, the newest.
MOST: int = 200
#: What the page may say after a POST, as the address names it.
DONE = frozenset({"moved", "erased"})


@login_required
@csrf_protect
@require_http_methods(["GET", "HEAD", "POST"])
def mine(request: HttpRequest) -> HttpResponse:
    """Show all coupons of the customer's verified address and account. A POST moves the coupons that this browser got
    as a guest to the account.
    """
    keys, now = keys_of(request.user), timezone.now()
    if request.method == "POST":
        return _back("moved" if _take_along(request, to_key=keys[0]) else "")
    answers = list(Answer.objects.of(*keys).current(now=now).order_by("pk"))
    tickets = _tickets(keys, answers, now=now)
    context = {
        "groups": [(group, [ticket for ticket in tickets if ticket.group is group]) for group in Group],
        "has_coupons": bool(tickets),
        "guests": _guests(request),
        "answers": [{"answer": each, "until": day_in_words(each.delete_after)} for each in answers],
        "done": request.GET.get("done") if request.GET.get("done") in DONE else "",
        "apply_path": apply_path(),
    }
    return add_private_headers(render(request, "thankyou_coupons/mine.html", context))


@login_required
@csrf_protect
@require_http_methods(["GET", "HEAD", "POST"])
def answers(request: HttpRequest) -> HttpResponseBase:
    """Give the customer their answers as a file; a POST deletes one of them, or all (GDPR art. 15, 17, 20)."""
    own: AnswerQuerySet = Answer.objects.of(*keys_of(request.user))
    if request.method == "POST":
        chosen = request.POST.get("answer", "")
        if chosen != "all":
            own = (
                own.filter(pk=int(chosen)) if chosen.isascii() and chosen.isdigit() and len(chosen) < 19 else own.none()
            )
        return _back("erased" if erase(answers=own) else "")
    return add_private_headers(as_download(as_csv(export_answers(own.order_by("pk"))), name="answers"))


def _take_along(request: HttpRequest, *, to_key: str) -> int:
    """Move what this browser got as a guest; return how many coupons. What the database is too busy for stays."""
    moved = 0
    for from_key in sorted({coupon.holder_key for coupon in _guests(request)}):
        with suppress(CouponBusy):
            moved += merge(from_key=from_key, to_key=to_key)
    return moved


def _back(done: str) -> HttpResponse:
    address = reverse("thankyou_coupons:mine")
    return add_private_headers(redirect(f"{address}?done={done}" if done else address))


def _tickets(keys: Iterable[str], answers: Iterable[Answer], *, now: datetime) -> list[Ticket]:
    """Return the customer's coupons with their open questions: two queries, however many there are."""
    coupons = for_tickets(Coupon.objects.of(*keys), now=now).order_by("-issued_at", "-pk")[:MOST]
    states = [(coupon, settle_state(coupon=coupon, now=now)) for coupon in coupons]
    waiting = {coupon.campaign_id for coupon, _state in states if coupon.state == Coupon.State.LOCKED}
    asked: dict[int, list[Question]] = {}
    for question in Question.objects.filter(campaign_id__in=waiting):
        asked.setdefault(question.campaign_id, []).append(question)
    known: dict[str, set[str]] = {}
    for answer in answers:
        known.setdefault(answer.holder_key, set()).add(answer.question_name)
    return [
        Ticket(
            coupon=coupon,
            state=state,
            now=now,
            questions=open_questions(asked.get(coupon.campaign_id, ()), known=known.get(coupon.holder_key, set())),
        )
        for coupon, state in states
    ]


def _guests(request: HttpRequest) -> list[Coupon]:
    """Return the coupons that this browser got as a guest and that may be moved to the account.

    Never those of another customer's address or account: a link that was passed on must not take along everything
    that its owner has.
    """
    codes = proven(request.session)
    if not codes:
        return []
    found = Coupon.objects.filter(code__in=codes).exclude(holder_key="").exclude(is_word=True)
    found = found.exclude(holder_key__startswith=CUSTOMER_PREFIX).exclude(holder_key__startswith=USER_PREFIX)
    return list(found.select_related("campaign").order_by("-issued_at", "-pk"))
