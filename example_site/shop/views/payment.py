"""The pretend payment page: pay, let it fail, try again. Only the browser that ordered gets here."""

from __future__ import annotations

from django.contrib.auth.decorators import login_not_required
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST

from coupons.quoting import quote
from thankyou_flows.values import OrderState

from .. import browser, orders, payments
from ..exceptions import CouponRefused, ShopError
from ..facts import facts_of_order
from ..forms import RetryForm
from ..models import Order, Payment
from ..payment_methods import PaymentMethod, how_to_pay


@login_not_required
@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def payment(request: HttpRequest, reference: str) -> HttpResponse:
    """Show the pretend provider's page for one payment; POST ``pay`` or ``fail`` is its answer, ``show`` goes on."""
    current = _payment_or_404(request, reference)
    if request.method == "POST":
        declined = current.method == PaymentMethod.DECLINED_CARD
        if request.POST.get("answer") == "pay" and not declined:
            payments.record_success(payment=current)
        elif request.POST.get("answer") in {"pay", "fail"}:
            payments.record_failure(payment=current)
        return go_on_with(request, Order.objects.get(pk=current.order_id))
    return _page(request, current.order, RetryForm())


@login_not_required
@never_cache
@require_POST
def payment_retry(request: HttpRequest, reference: str) -> HttpResponse:
    """Try again to pay for the same order; with ``without_coupons`` at its full price."""
    order = _payment_or_404(request, reference).order
    form = RetryForm(request.POST)
    if not form.is_valid():
        return _page(request, order, form)
    try:
        if "without_coupons" in request.POST:
            orders.drop_coupons(order=order)
        payments.try_again(order=order, method=form.cleaned_data["payment_method"])
    except CouponRefused as error:
        return _page(request, order, form, refused=error)
    except ShopError:
        order.refresh_from_db()
    return go_on_with(request, order)


def go_on_with(request: HttpRequest, order: Order) -> HttpResponse:
    """Send the customer, after a POST, to where this order goes on: its payment, another try, or the thank-you page."""
    latest = order.payments.first()
    if latest is not None and _is_to_be_paid_here(order, latest):
        return redirect("shop:payment", reference=latest.reference)
    return redirect(browser.finish(request, order))


def _is_to_be_paid_here(order: Order, latest: Payment) -> bool:
    waits_for_bank = PaymentMethod(latest.method).answers_later and latest.state == Payment.State.PENDING
    return order.state == OrderState.PLACED and not waits_for_bank


def _payment_or_404(request: HttpRequest, reference: str) -> Payment:
    found = Payment.objects.select_related("order").filter(reference=reference).first()
    if found is None or not browser.has_placed(request, found.order):
        raise Http404
    return found


def _page(request: HttpRequest, order: Order, form: RetryForm, *, refused: CouponRefused | None = None) -> HttpResponse:
    """Show where the order's payment stands: to be paid, failed with another try, or done."""
    latest = order.payments.first()
    context = {"order": order, "payment": latest, "payment_instructions": how_to_pay(order)}
    if latest is None or not _is_to_be_paid_here(order, latest):
        if browser.has_finished(request, order):
            return redirect("thankyou_flows:order", order.number)
        # Paid while the customer was away. Opening the thank-you page changes things, so it needs a click.
        return render(request, "shop/payment_done.html", context)
    if latest.state == Payment.State.PENDING:
        return render(request, "shop/payment.html", {**context, "method": PaymentMethod(latest.method)})
    context |= {
        "form": form,
        "codes": order.coupon_codes,
        "refused": refused,
        "full_total": quote(codes=[], facts=facts_of_order(order)).total if refused else None,
    }
    return render(request, "shop/payment_failed.html", context, status=422 if refused or form.errors else 200)
