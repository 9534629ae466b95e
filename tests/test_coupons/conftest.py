"""What the tests of ``coupons`` share."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from django.db import connection, transaction

from coupons.ledger import quick
from tests.test_coupons.crowd import AtOnce, gather


@pytest.fixture(params=["steps", "statement"] if connection.vendor == "postgresql" else ["steps"])
def way(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    """Reserve in both ways that there are: step by step, and on PostgreSQL in one statement.

    That one is for shops in autocommit; a test has a transaction around it, which an error of the statement must not
    break.
    """
    if request.param == "statement":
        run = quick.run

        def run_safely(statement: str, parameters: dict[str, Any]) -> int | None:
            with transaction.atomic():
                return run(statement, parameters)

        monkeypatch.setattr(quick, "is_possible", lambda: True)
        monkeypatch.setattr(quick, "run", run_safely)
    return str(request.param)


@pytest.fixture
def at_once() -> Iterator[AtOnce]:
    """Threads that start together."""
    with gather() as crowd:
        yield crowd
