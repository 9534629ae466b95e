"""Optional accounts: open one, log in, see one's orders."""

from __future__ import annotations

from django.contrib.auth import login, views
from django.contrib.auth.decorators import login_not_required, login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.decorators import method_decorator
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods, require_safe

from ..forms import LoginForm, RegistrationForm
from ..models import Order


@never_cache
@login_required
@require_safe
def account(request: HttpRequest) -> HttpResponse:
    """Show the customer's orders, newest first."""
    orders = Order.objects.for_user(request.user).prefetch_related("lines")[:50]
    return render(request, "shop/account.html", {"orders": orders})


@sensitive_post_parameters("password")
@login_not_required
@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def register(request: HttpRequest) -> HttpResponse:
    """Open an account and log in."""
    form = RegistrationForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        login(request, form.save(), backend="django.contrib.auth.backends.ModelBackend")
        return redirect("shop:account")
    return render(request, "shop/register.html", {"form": form}, status=422 if form.errors else 200)


@method_decorator(never_cache, name="dispatch")
class Login(views.LoginView):
    """Log in by e-mail address and password."""

    template_name = "shop/login.html"
    authentication_form = LoginForm
    redirect_authenticated_user = True
