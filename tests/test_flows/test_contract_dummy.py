"""The contract of all store adapters, kept by the shop in memory."""

from __future__ import annotations

import itertools
from typing import Any

import pytest
from django.contrib.auth import get_user_model
from django.utils import timezone
from djmoney.money import Money

from thankyou_flows.stores.dummy import DummyStore
from thankyou_flows.testing import StoreContractTests
from thankyou_flows.values import Order, OrderLine, OrderState, Product


@pytest.mark.django_db
class TestDummyStoreContract(StoreContractTests):
    store = DummyStore()
    counter = itertools.count(1)

    def make_product(self) -> str:
        ref = f"dummy-{next(self.counter)}"
        DummyStore.products[ref] = Product(ref=ref, title=f"Product {ref}", price=Money("10.00", "EUR"))
        return ref

    def make_user(self) -> Any:
        return get_user_model().objects.create_user(f"user{next(self.counter)}")

    def make_order(self, *, lines: int = 2, user: Any = None, email: str = "") -> str:
        refs = [self.make_product() for _ in range(lines)]
        bought = [OrderLine(product_ref=ref, title=ref, quantity=1, total=Money("10.00", "EUR")) for ref in refs]
        order = Order(
            number=f"D-{next(self.counter)}",
            state=OrderState.PAID,
            placed_at=timezone.now(),
            lines=tuple(bought),
            subtotal=Money("10.00", "EUR") * lines,
            shipping=Money("4.90", "EUR"),
            total=Money("10.00", "EUR") * lines + Money("4.90", "EUR"),
            email=email,
        )
        return DummyStore.add_order(order, owner=user).number
