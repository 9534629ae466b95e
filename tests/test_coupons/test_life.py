"""Whole lives of coupons, in any order of steps, beside a plain model (CO-1, CO-2, CO-11)."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis.stateful import run_state_machine_as_test as run_machine

from coupons import redemption
from coupons.ledger import limits
from coupons.models import Redemption, RedemptionQuerySet
from tests.test_coupons.lives import Lives

pytestmark = pytest.mark.django_db

SETTINGS = settings(max_examples=25, stateful_step_count=40, suppress_health_check=list(HealthCheck))


@pytest.mark.usefixtures("way")
def test_lives() -> None:
    """CO-1, CO-2, CO-11: whatever happens in whatever order, the database and the model say the same."""
    run_machine(Lives, settings=SETTINGS)


def counted_for_ever(self: limits.Tally, row: Redemption) -> None:
    """Forgets the counters of the campaign when a use comes back."""


def always_paid(self: Any, row: Redemption) -> bool:
    """Takes a payment that comes again for a new one, also after the order was refunded."""
    return True


def comes_back(row: Redemption, because: str) -> bool:
    """Gives back what a customer has bought with, whatever the campaign says, and also what came back already."""
    return row.redeemed_at is not None


def never_run_out(self: RedemptionQuerySet, *, now: datetime) -> RedemptionQuerySet:
    """Leaves the use with a customer who is gone."""
    return self.none()


@pytest.mark.teeth
@pytest.mark.parametrize(
    ("owner", "name", "fault"),
    [
        pytest.param(limits.Tally, "give", counted_for_ever, id="counters not given back"),
        pytest.param(redemption._Payment, "_is_paid", always_paid, id="repeated payment"),
        pytest.param(redemption, "_comes_back", comes_back, id="policy ignored"),
        pytest.param(RedemptionQuerySet, "run_out", never_run_out, id="nothing runs out"),
    ],
)
def test_the_model_notices(owner: Any, name: str, fault: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """The same with a fault in it; always the same examples, of which one must find it."""
    monkeypatch.setattr(owner, name, fault)
    with pytest.raises(AssertionError):
        run_machine(
            Lives,
            settings=settings(
                SETTINGS,
                max_examples=100,
                derandomize=True,
                database=None,
                phases=[Phase.generate],
                report_multiple_bugs=False,
                print_blob=False,
            ),
        )
