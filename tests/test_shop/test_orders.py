"""What staff do with orders, and what that does to stock and coupons."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pytest
import time_machine
from django.test import Client
from django.utils import timezone

from coupons.models import Coupon
from example_site.shop import orders, payments
from example_site.shop.exceptions import CouponRefused, WrongState
from example_site.shop.models import Order, Payment, Product
from thankyou_flows.values import OrderState

MakeOrder = Callable[..., Order]


def test_the_way_of_an_order(make_order: MakeOrder) -> None:
    order = make_order()
    for name in ("paid", "shipped", "delivered", "refunded"):
        assert name in orders.possible_actions(order)
        verb, _states = orders.ACTIONS[name]
        assert verb(order=order) is True
        assert verb(order=order) is False
        order.refresh_from_db()
        assert order.state == name
    assert orders.possible_actions(order) == []


def test_cancelling_gives_back_once(make_order: MakeOrder, tea: Product, make_coupon: Callable[..., Coupon]) -> None:
    coupon = make_coupon()
    order = make_order(quantity=3, codes=[coupon.code])
    assert orders.cancel(order=order) is True
    assert orders.cancel(order=order) is False
    tea.refresh_from_db()
    coupon.refresh_from_db()
    assert (tea.stock, coupon.used) == (10, 0)


def test_stock_is_locked_before_coupons(
    make_order: MakeOrder, make_coupon: Callable[..., Coupon], django_assert_max_num_queries
) -> None:
    """Ordering and cancelling at once do not wait for each other: both lock the goods first."""
    coupon = make_coupon()
    order = make_order(codes=[coupon.code])
    with django_assert_max_num_queries(100) as captured:
        orders.cancel(order=order)
    changes = [query["sql"] for query in captured if query["sql"].startswith("UPDATE")]
    stock = next(number for number, sql in enumerate(changes) if '"stock"' in sql)
    uses = next(number for number, sql in enumerate(changes) if 'UPDATE "thankyou_coupons' in sql)
    assert stock < uses


@pytest.mark.parametrize(
    ("policy", "after_cancel", "after_refund"), [("never", 1, 1), ("cancelled", 0, 1), ("refunded", 0, 0)]
)
def test_a_paid_orders_coupon_comes_back_as_its_campaign_says(
    make_order: MakeOrder, make_coupon: Callable[..., Coupon], policy: str, after_cancel: int, after_refund: int
) -> None:
    """Issue 3, complaint 27: a cancelled order does not keep the coupon spent, unless the owner wants that."""
    for verb, expected in ((orders.cancel, after_cancel), (orders.refund, after_refund)):
        coupon = make_coupon(give_back=policy)
        order = make_order(codes=[coupon.code])
        orders.mark_paid(order=order)
        assert verb(order=order) is True
        assert verb(order=order) is False
        coupon.refresh_from_db()
        assert coupon.used == expected


def test_what_cannot_be(make_order: MakeOrder) -> None:
    order = make_order()
    for verb in (orders.mark_shipped, orders.refund):
        with pytest.raises(WrongState):
            verb(order=order)
    orders.mark_paid(order=order)
    orders.mark_shipped(order=order)
    with pytest.raises(WrongState):
        orders.cancel(order=order)


def test_money_for_a_cancelled_order_is_recorded(make_order: MakeOrder, make_coupon: Callable[..., Coupon]) -> None:
    coupon = make_coupon()
    order = make_order(method="bank", codes=[coupon.code])
    orders.cancel(order=order)
    assert payments.record_success(payment=order.payments.get()) is True
    order.refresh_from_db()
    coupon.refresh_from_db()
    assert (order.state, coupon.used) == (OrderState.CANCELLED, 0)
    assert order.payments.get().state == Payment.State.SUCCEEDED
    assert orders.possible_actions(order) == ["refunded"]


@pytest.fixture
def staff(client: Client, django_user_model) -> Client:
    client.force_login(django_user_model.objects.create_superuser("boss", "boss@example.com", "pw"))
    return client


def test_staff_move_an_order_in_the_admin(staff: Client, make_order: MakeOrder) -> None:
    order = make_order()
    assert order.number in staff.get("/admin/shop_order/").content.decode()
    page = staff.get(f"/admin/shop_order/inspect/{order.pk}/").content.decode()
    assert "Rosenweg 1" in page
    assert f"/admin/shop_order/happened/{order.pk}/paid/" in page
    assert f"/admin/shop_order/happened/{order.pk}/shipped/" not in page
    staff.post(f"/admin/shop_order/happened/{order.pk}/paid/")
    order.refresh_from_db()
    assert order.state == OrderState.PAID
    assert staff.get(f"/admin/shop_order/happened/{order.pk}/shipped/").status_code == 405


@pytest.mark.parametrize("path", ["", "inspect/{pk}/", "edit/{pk}/", "happened/{pk}/paid/"])
def test_orders_are_for_staff_who_may(client: Client, make_order: MakeOrder, django_user_model, path: str) -> None:
    """Customers and editors without the permission get nothing, whatever the address."""
    from django.contrib.auth.models import Group

    order = make_order()
    address = "/admin/shop_order/" + path.format(pk=order.pk)
    ask = client.post if "happened" in path else client.get
    customer = django_user_model.objects.create_user("c@example.com", "c@example.com", "pw")
    editor = django_user_model.objects.create_user("e", "e@example.com", "pw")
    editor.groups.add(Group.objects.get(name="Editors"))
    for user in (None, customer, editor):
        if user is not None:
            client.force_login(user)
        response = ask(address)
        assert response.status_code in {302, 403}
        assert b"Rosenweg" not in response.content
    order.refresh_from_db()
    assert order.state == OrderState.PLACED


def test_an_order_is_neither_made_nor_deleted_by_hand(staff: Client, make_order: MakeOrder) -> None:
    order = make_order()
    assert staff.get("/admin/shop_order/new/").status_code == 404
    assert staff.get(f"/admin/shop_order/delete/{order.pk}/").status_code == 404
    page = staff.get(f"/admin/shop_order/edit/{order.pk}/")
    assert page.status_code == 200
    assert "total" not in page.context["form"].fields


def test_products_are_edited_in_the_admin(staff: Client, tea: Product) -> None:
    assert tea.title in staff.get("/admin/shop_product/").content.decode()
    page = staff.get(f"/admin/shop_product/edit/{tea.pk}/")
    data = {
        "title": tea.title, "sku": tea.sku, "slug": tea.slug, "category": tea.category_id, "summary": "",
        "price_0": "11.50", "price_1": "EUR", "stock": "7", "delivery_days_min": "1", "delivery_days_max": "2",
        "is_for_sale": "on",
    }  # fmt: skip
    assert page.status_code == 200
    staff.post(f"/admin/shop_product/edit/{tea.pk}/", data)
    tea.refresh_from_db()
    assert (str(tea.price.amount), tea.stock) == ("11.50", 7)


def test_a_coupon_waits_for_the_transfer(make_order: MakeOrder, make_coupon: Callable[..., Coupon]) -> None:
    """CO-2: a transfer takes days; meanwhile no second order gets the coupon's only use."""
    coupon = make_coupon(deadline_minutes=None)
    order = make_order(codes=[coupon.code], method="bank")
    with time_machine.travel(timezone.now() + timedelta(days=3)):
        with pytest.raises(CouponRefused):
            make_order(codes=[coupon.code], method="bank")
        orders.mark_paid(order=order)
    coupon.refresh_from_db()
    assert (coupon.used, coupon.redemptions.get().over_limit) == (1, False)
