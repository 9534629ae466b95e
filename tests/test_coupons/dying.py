"""A process of its own that works on the test's database until it is killed: ``test_killing`` does that, with SIGKILL.

``python -m tests.test_coupons.dying DATABASE STEP ARGUMENTS`` does the step up to its fatal point, says so in one line,
and waits for its end.
"""

from __future__ import annotations

import json
import os
import select
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Any
from uuid import UUID

ROOT = Path(__file__).resolve().parents[2]
LAST_WORDS = "here it ends"
#: Longer than any busy machine needs to start Python, shorter than anybody waits for a test.
PATIENCE = 120


def die_at(step: str, *, database: str, **arguments: str) -> None:
    """Run a step in another process, and kill that as soon as it has reached the fatal point.

    Raises AssertionError, with what the process said, if it did not come so far.
    """
    command = [sys.executable, "-m", "tests.test_coupons.dying", database, step, json.dumps(arguments)]
    environment = {**os.environ, "DJANGO_SETTINGS_MODULE": "tests.settings"}
    with subprocess.Popen(
        command, cwd=ROOT, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None and process.stderr is not None
        try:
            ready, _, _ = select.select([process.stdout], [], [], PATIENCE)
            said = process.stdout.readline() if ready else "nothing"
        finally:
            os.kill(process.pid, signal.SIGKILL)
        errors = process.stderr.read()
    assert (said.strip(), process.returncode) == (LAST_WORDS, -signal.SIGKILL), errors


def wait_for_the_end(*arguments: Any, **more: Any) -> None:
    sys.stdout.write(f"{LAST_WORDS}\n")
    sys.stdout.flush()
    time.sleep(PATIENCE)


def reserve(*, codes: str, now: str) -> None:
    """Checkouts hold a coupon each, and their customers are on the way to the payment."""
    from coupons import redemption
    from tests.test_coupons.factories import make_facts

    for number, code in enumerate(codes.split(",")):
        order_ref = f"dead {number}"
        redemption.reserve(code=code, order_ref=order_ref, facts=make_facts(), now=datetime.fromisoformat(now))


def reserve_in_a_transaction(**arguments: str) -> None:
    """The shop has more to do in its transaction after the coupon."""
    from django.db import transaction

    with transaction.atomic():
        reserve(**arguments)
        wait_for_the_end()


def place_order(*, token: str, code: str, now: str) -> None:
    """The order is placed; its customer has not heard of it yet."""
    from tests.test_coupons.test_killing import place

    place(token=UUID(token), code=code, now=datetime.fromisoformat(now))


def hear_of_payment(*, reference: str, until: str, now: str) -> None:
    """The payment provider says that the money is there; the shop gets so far and no further."""
    from example_site.shop import orders, payments
    from example_site.shop.models import Payment

    if until == "before the coupon is redeemed":
        orders.redeem = wait_for_the_end
    elif until == "before the transaction is committed":
        orders.mail.confirm_order = wait_for_the_end
    payment = Payment.objects.get(reference=reference)
    payments.record_success(payment=payment, now=datetime.fromisoformat(now))


STEPS: dict[str, Callable[..., None]] = {
    step.__name__: step for step in (reserve, reserve_in_a_transaction, place_order, hear_of_payment)
}


def main(database: str, step: str, arguments: str) -> None:
    import django
    from django.conf import settings

    settings.DATABASES["default"]["NAME"] = database
    django.setup()
    STEPS[step](**json.loads(arguments))
    wait_for_the_end()


if __name__ == "__main__":
    main(*sys.argv[1:])
