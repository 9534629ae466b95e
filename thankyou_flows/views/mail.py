"""Pages behind the links in mails: unsubscribe, and the preferences. A GET changes nothing (EM-5)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.contrib.auth.decorators import login_not_required
from django.core.exceptions import BadRequest, SuspiciousOperation
from django.http import HttpResponseBase
from django.http.multipartparser import MultiPartParserError
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods

from wishlists.origin import same_origin_post

from ..headers import add_private_headers
from ..mail.forms import PreferencesForm
from ..mail.links import list_left_by, read_token
from ..mail.preferences import leave_all, message_of, read_preferences, save_preferences
from ..mail.suppression import leave
from ..models import ConsentReceipt, MailingList
from ..newsletter import NewsletterError
from ..outcomes import flow_of
from ..ratelimit import client_ip, hit
from ..stores import get_store
from .later import later_without_database

if TYPE_CHECKING:
    from django.http import HttpRequest

    from ..mail.links import Holder
    from ..mail.preferences import Preferences
    from ..models import Message

#: Of one person. Leaving is never limited.
SAVE_LIMITS = ("30/hour",)
#: What a redirect may say of what has just happened.
OUTCOMES = frozenset({"saved", "asked", "left"})


@csrf_exempt
@login_not_required
@require_http_methods(["GET", "HEAD", "POST"])
@later_without_database
def unsubscribe(request: HttpRequest, token: str) -> HttpResponseBase:
    """Show one button, and unsubscribe on POST: the button's, and that of mail programs, which comes without cookies and
    follows no redirect (RFC 8058). The first and every later time it answers 200.

    No rate limit, no check of where it comes from, and nothing in the body that it would need: whoever has the link may
    leave. Links that are not ours get the same page, and change nothing.
    """
    holder = read_token(token)
    if holder is None:
        return _answer(request, "unsubscribe", {"state": "gone"})
    message = message_of(holder)
    mailing_list, everything = _what_to_leave(holder, message)
    if request.method == "POST":
        leave(
            email_key=holder.email_key,
            mailing_list=mailing_list,
            everything=everything,
            follow_ups=holder.and_follow_ups,
            method=_method_of(request),
            message=message,
        )
    context = {
        "state": "done" if request.method == "POST" else "ask",
        "mailing_list": mailing_list,
        "everything": everything,
        "and_follow_ups": holder.and_follow_ups,
        "token": token,
    }
    return _answer(request, "unsubscribe", context)


@login_not_required
@require_http_methods(["GET", "HEAD", "POST"])
@same_origin_post
@later_without_database
def preferences(request: HttpRequest, token: str) -> HttpResponseBase:
    """Show what a person gets, and change it on POST. Leaving everything is one press, whatever else is filled in."""
    holder = read_token(token)
    if holder is None:
        return _answer(request, "preferences", {"state": "gone"})
    if request.method == "POST" and request.POST.get("command") == "leave_all":
        leave_all(holder=holder)
        return _back(request, "left")
    known = read_preferences(holder=holder)
    if known is None:
        return _answer(request, "preferences", {"state": "unknown", "outcome": _outcome(request)})
    if known.is_blocked:
        return _answer(request, "preferences", {"state": "blocked", "preferences": known})
    if request.method == "POST":
        return _save(request, holder, known)
    return _page(request, known, PreferencesForm(preferences=known))


def _save(request: HttpRequest, holder: Holder, known: Preferences) -> HttpResponseBase:
    form = PreferencesForm(request.POST, preferences=known)
    if not form.is_valid():
        return _page(request, known, form)
    wish = form.wish
    is_more = wish.follow_ups or any(wish.lists.values())
    if is_more and not hit(name="mail-preferences", key=holder.email_key, limits=SAVE_LIMITS, if_broken=True):
        form.add_error(None, _("That was a lot of changes in a short time. Please try again in an hour."))
        return _page(request, known, form)
    match = request.resolver_match
    try:
        # The pattern instead of the path: the token is a secret and belongs into no receipt.
        is_asked = save_preferences(
            holder=holder, wish=wish, path=f"/{match.route}" if match else "", ip_key=client_ip(request)
        )
    except NewsletterError as error:
        form.add_error("lists", str(error))
        return _page(request, known, form)
    return _back(request, "asked" if is_asked else "saved")


def _what_to_leave(holder: Holder, message: Message | None) -> tuple[MailingList | None, bool]:
    """Return the list that a link leaves, and whether it leaves everything: if its list has another name now and the
    message is not kept any more, nobody knows which one was meant.
    """
    if not holder.list_slug:
        return None, False
    known = list_left_by(message) if message is not None else None
    if known is not None:
        return known, False
    mailing_list = MailingList.objects.filter(slug=holder.list_slug).first()
    return mailing_list, mailing_list is None


def _method_of(request: HttpRequest) -> ConsentReceipt.Method:
    try:
        is_one_click = request.POST.get("List-Unsubscribe") == "One-Click"
    except (BadRequest, MultiPartParserError, SuspiciousOperation, OSError):
        # The address says all that is needed; a body that cannot be read keeps nobody on a list.
        is_one_click = True
    return ConsentReceipt.Method.ONE_CLICK if is_one_click else ConsentReceipt.Method.LINK


def _page(request: HttpRequest, known: Preferences, form: PreferencesForm) -> HttpResponseBase:
    context = {"state": "form", "preferences": known, "form": form, "outcome": _outcome(request)}
    return _answer(request, "preferences", context)


def _outcome(request: HttpRequest) -> str:
    outcome = request.GET.get("done", "") if request.method != "POST" else ""
    return outcome if outcome in OUTCOMES else ""


def _back(request: HttpRequest, outcome: str) -> HttpResponseBase:
    response = redirect(f"{request.path}?done={outcome}")
    return add_private_headers(response, referrer="strict-origin")


def _answer(request: HttpRequest, template: str, context: dict[str, Any]) -> HttpResponseBase:
    response = render(
        request,
        f"thankyou_flows/mail/{template}.html",
        {**context, "shop_url": get_store().get_shop_url(), "flow": flow_of(request)},
        status=404 if context["state"] == "gone" else 200,
    )
    # As on the page that confirms: with "no-referrer", browsers would send "Origin: null" along with the form.
    return add_private_headers(response, referrer="strict-origin")
