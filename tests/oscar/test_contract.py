"""The contract of all store adapters, kept by the Oscar one."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from decimal import Decimal
from typing import Any

import pytest
from django.contrib.auth.models import AnonymousUser
from django.contrib.messages.storage.base import BaseStorage
from django.contrib.sessions.backends.db import SessionStore
from django.http import HttpRequest, HttpResponse
from django.test import RequestFactory
from django.utils import timezone
from oscar.apps.basket.middleware import BasketMiddleware

from thankyou_flows.stores.oscar import OscarStore
from thankyou_flows.testing import StoreContractTests

from .conftest import SHIPPING, model


class TestOscarStoreContract(StoreContractTests):
    store = OscarStore()

    @pytest.fixture(autouse=True)
    def _shop(self, make_product: Callable[..., Any], django_user_model: Any) -> Iterator[None]:
        self._make_product = make_product
        self._users = django_user_model
        self._counter = itertools.count(1)
        yield

    def make_product(self) -> str:
        product = self._make_product(title=f"Tea {next(self._counter)}")
        return str(product.pk)

    def make_user(self) -> Any:
        name = f"user{next(self._counter)}"
        return self._users.objects.create_user(name, f"{name}@example.com", "secret")

    def make_order(self, *, lines: int = 2, user: Any = None, email: str = "") -> str:
        number = str(100000 + next(self._counter))
        address = model("order.ShippingAddress").objects.create(
            first_name="Ana", last_name="Novak", line1="Glavna 1", line4="Ljubljana", postcode="1000", country_id="SI"
        )
        goods = Decimal("20.00") * lines
        discount = Decimal("2.50")
        order = model("order.Order").objects.create(
            number=number,
            user=user,
            guest_email="" if user else email,
            currency="EUR",
            total_incl_tax=goods - discount + SHIPPING,
            total_excl_tax=goods - discount + SHIPPING,
            shipping_incl_tax=SHIPPING,
            shipping_excl_tax=SHIPPING,
            shipping_address=address,
            date_placed=timezone.now(),
            status="Pending",
        )
        for position in range(lines):
            off = discount if position == 0 else Decimal(0)
            product = self._make_product(title=f"Tea {next(self._counter)}")
            model("order.Line").objects.create(
                order=order,
                product=product,
                title=product.title,
                partner_sku=f"SKU-{position}",
                quantity=2,
                line_price_incl_tax=Decimal("20.00") - off,
                line_price_excl_tax=Decimal("20.00") - off,
                line_price_before_discounts_incl_tax=Decimal("20.00"),
                line_price_before_discounts_excl_tax=Decimal("20.00"),
                unit_price_incl_tax=Decimal("10.00"),
                num_allocated=2,
            )
        return number

    def make_request(self, *, user: Any = None) -> HttpRequest:
        request = RequestFactory().get("/")
        request.user = user or AnonymousUser()
        request.session = SessionStore()
        request._messages = BaseStorage(request)
        # On the way in, Oscar's middleware puts a basket and a price strategy on the request.
        BasketMiddleware(lambda request: HttpResponse())(request)
        return request
