"""The contract of all store adapters, kept by the example shop's."""

from __future__ import annotations

import itertools
import uuid
from collections.abc import Callable
from typing import Any

import pytest
from django.contrib.auth import get_user_model
from django.http import HttpRequest, HttpResponse

from example_site.shop.models import Product
from example_site.shop.placing import Customer, place_order
from example_site.shop.store import ExampleStore
from thankyou_flows.testing import StoreContractTests
from wishlists.middleware import ListsMiddleware

from .conftest import ADDRESS


class TestExampleStoreContract(StoreContractTests):
    store = ExampleStore()

    @pytest.fixture(autouse=True)
    def _shop(self, make_product: Callable[..., Product]) -> None:
        self._make_product = make_product
        self._counter = itertools.count(1)

    def make_product(self) -> str:
        return str(self._make_product(f"C-{next(self._counter)}").sku)

    def make_user(self) -> Any:
        return get_user_model().objects.create_user(f"user{next(self._counter)}")

    def make_order(self, *, lines: int = 2, user: Any = None, email: str = "") -> str:
        placed = place_order(
            token=uuid.uuid4(),
            quantities={(self.make_product(), ""): 1 for _ in range(lines)},
            customer=Customer(**{**ADDRESS, "email": email or ADDRESS["email"]}),
            shipping_method="standard",
            payment_method="card",
            codes=[],
            user=user,
        )
        return str(getattr(placed, "order", placed).number)

    def make_request(self, *, user: Any = None) -> HttpRequest:
        request = super().make_request(user=user)
        # On the way in, it puts the cookie cart on the request.
        ListsMiddleware(lambda request: HttpResponse())(request)
        return request
