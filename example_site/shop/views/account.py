"""Optional accounts: open one, log in, see one's orders."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path

from django.contrib.auth import login, views
from django.contrib.auth.decorators import login_not_required, login_required
from django.http import FileResponse, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.decorators import method_decorator
from django.utils.translation import get_language, gettext
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from coupons.exceptions import CouponError
from coupons.holders import keys_of, user_key
from coupons.models import Coupon
from coupons.registration import welcome
from thankyou_flows.followups.planning import report_download
from thankyou_flows.mail.links import preferences_path_for
from thankyou_flows.newsletter import is_subscribed
from wishlists.asking import merge_url
from wishlists.views.answers import is_safe

from .. import accounts
from ..accounts import verified_email
from ..forms import LetterForm, LoginForm, RegistrationForm
from ..models import Order

#: What customers can take home.
GUIDE = Path(__file__).resolve().parent.parent / "brewing-guide.txt"


@never_cache
@login_required
@require_safe
def account(request: HttpRequest) -> HttpResponse:
    """Show the customer's orders, newest first."""
    orders = Order.objects.for_user(request.user).prefetch_related("lines")[:50]
    coupons = Coupon.objects.of(*keys_of(request.user)).select_related("campaign")
    own = verified_email(request.user)
    context = {
        "orders": orders,
        "mailed": request.GET.get("mailed", ""),
        "is_confirmed": bool(own),
        # Who has proved the address sees its lists; whoever has not is asked by mail first.
        "mail_url": preferences_path_for(own) if own else "",
        "newsletter": None if own and is_subscribed(email=own) else LetterForm(),
        "asked": request.GET.get("newsletter", ""),
        # What may be offered as the next step: the newest coupon that waits for a few answers.
        "next_step": coupons.filter(state=Coupon.State.LOCKED, declined_at=None).first(),
    }
    return render(request, "shop/account.html", context)


@login_required
@require_POST
def newsletter(request: HttpRequest) -> HttpResponse:
    """Ask by mail whether this customer wants the newsletter: the same way for whoever asks, wherever (EM-3)."""
    form = LetterForm(request.POST)
    asked = form.is_valid() and form.sign_up(request=request, email=request.user.email)
    state = "yes" if asked else "later"
    return redirect(reverse("shop:account") + f"?newsletter={state}")


@login_required
@require_POST
def guide(request: HttpRequest) -> FileResponse:
    """Hand out the brewing guide, and say so: a follow-up may ask later whether it helped."""
    if email := verified_email(request.user):
        report_download(email=email, name=gettext("Brewing guide"), language=get_language() or "")
    return FileResponse(GUIDE.open("rb"), as_attachment=True, filename="brewing-guide.txt")


@sensitive_post_parameters("password")
@login_not_required
@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def register(request: HttpRequest) -> HttpResponse:
    """Open an account, log in and go to ``next``, if that is a page of this shop."""
    to = request.POST.get("next", request.GET.get("next", ""))
    to = to if is_safe(request, to) else ""
    form = RegistrationForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        user = form.save()
        login(request, user, backend="django.contrib.auth.backends.ModelBackend")
        accounts.ask_for_confirmation(user=user)
        # Nobody gets less of an account because a coupon could not be given.
        with suppress(CouponError):
            welcome(user_key=user_key(user))
        return redirect(merge_url(request, next=to or reverse("shop:account")))
    return render(request, "shop/register.html", {"form": form, "next": to}, status=422 if form.errors else 200)


@login_not_required
@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def confirm_address(request: HttpRequest, token: str) -> HttpResponse:
    """Show whose address the link confirms; the button does it. Nobody is logged in by a link."""
    is_pressed = request.method == "POST"
    account = accounts.confirm_address(token=token) if is_pressed else accounts.find_account(token=token)
    context = {"account": account, "confirmed": is_pressed and account is not None}
    return render(request, "shop/confirm_address.html", context, status=200 if account else 404)


@login_required
@require_POST
def resend_confirmation(request: HttpRequest) -> HttpResponse:
    """Mail the link once more."""
    sent = accounts.ask_for_confirmation(user=request.user)
    return redirect(reverse("shop:account") + f"?mailed={'yes' if sent else 'before'}")


@method_decorator(never_cache, name="dispatch")
class Login(views.LoginView):
    """Log in by e-mail address and password."""

    template_name = "shop/login.html"
    authentication_form = LoginForm
    redirect_authenticated_user = True

    def get_success_url(self) -> str:
        """Ask first what should become of the things on this device, if there are any."""
        return merge_url(self.request, next=super().get_success_url())
