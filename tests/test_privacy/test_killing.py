"""A purge that is really killed, with SIGKILL, or that meets another one, loses nothing and leaves nothing (EM-13, OP-5)."""

from __future__ import annotations

import random
import threading
from collections.abc import Iterator
from typing import Any

import pytest
from django.db import connection, connections

from tests.test_coupons.test_killing import database
from tests.test_privacy.dying import purge_until_killed
from tests.test_privacy.test_purging import days_ago, make_contact, make_message, make_subscription
from tests.test_privacy.world import NOW
from thankyou_flows.models import ConfirmationAllowance, ConfirmationLink, Contact, Message, OrderLink, Subscription
from thankyou_flows.privacy.purging import PurgeRunning, purge

__all__ = ["database"]

pytestmark = pytest.mark.django_db(transaction=True)

KILLED = -9


def fill() -> None:
    """A few rows of each age; those that are young must survive."""
    make_contact(acted=1)
    make_contact(acted=1_100, email="old@example.com", key="c:old")
    make_subscription(asked=8)
    for days in (89, 91, 95, 397, 400):
        make_message(settled=days)
        make_message(settled=days, email="old@example.com", email_key="c:old", dedupe_key=f"old:{days}")
    for days in (1, 31, 60):
        OrderLink.objects.create(number="1", token_hash=f"o{days}", expires_at=days_ago(days))
        ConfirmationAllowance.objects.create(mailbox_key=f"m{days}", last_mail_at=days_ago(days))


def what_is_left() -> list[Any]:
    """Return what a purge leaves, as it should be."""
    return [
        sorted(Message.objects.values_list("dedupe_key", "email", "text")),
        list(Contact.objects.values_list("email", flat=True)),
        list(Subscription.objects.values_list("email", "state")),
        ConfirmationLink.objects.count(),
        list(OrderLink.objects.values_list("token_hash", flat=True)),
        list(ConfirmationAllowance.objects.values_list("mailbox_key", flat=True)),
    ]


LEFT = [
    [
        ("old:89", "old@example.com", "Dear Ann"),
        *[(f"old:{days}", "", "") for days in (91, 95)],
        ("sent:89", "ann@example.com", "Dear Ann"),
        *[(f"sent:{days}", "ann@example.com", "") for days in (91, 95)],
    ],
    ["ann@example.com"],
    [("", "pending")],
    0,
    ["o1"],
    ["m1"],
]


@pytest.mark.parametrize("seed", range(3))
def test_killed_again_and_again_it_comes_to_the_same_end(database: str, seed: int) -> None:  # noqa: F811
    """OP-5: after a piece or in the midst of one: what was not committed is found again, what should stay stays, and
    nobody waits for a lock of the dead.
    """
    choice = random.Random(seed)
    fill()
    announced = purge(dry_run=True, now=NOW)
    for _ in range(3):
        assert purge_until_killed(
            database=database, pieces=choice.randint(1, 4), in_the_midst=choice.random() < 0.5
        ) == (KILLED)
    left = purge(dry_run=True, now=NOW)
    assert 0 < sum(left.values()) <= sum(announced.values())
    assert purge(now=NOW) == left
    assert what_is_left() == LEFT
    assert sum(purge(now=NOW).values()) == 0


def test_killed_in_the_midst_of_the_first_piece_nothing_is_done(database: str) -> None:  # noqa: F811
    """EM-13: a piece is whole or not at all."""
    fill()
    before, announced = what_is_left(), purge(dry_run=True, now=NOW)
    assert purge_until_killed(database=database, pieces=1, in_the_midst=True) == KILLED
    assert what_is_left() == before
    assert purge(now=NOW) == announced


@pytest.fixture
def threads() -> Iterator[list[threading.Thread]]:
    started: list[threading.Thread] = []
    yield started
    for each in started:
        each.join(timeout=60)


@pytest.mark.postgres
def test_two_at_once_do_each_thing_once(threads: list[threading.Thread]) -> None:
    """EM-13: cron and a hand at the same instant: together they do what one announced, and whoever came second may say
    that the other is at it.
    """
    assert connection.vendor == "postgresql"
    fill()
    announced = purge(dry_run=True, now=NOW)
    together, at_once = [], threading.Barrier(2, timeout=30)
    wrong: list[Exception] = []

    def run() -> None:
        try:
            at_once.wait()
            together.append(purge(now=NOW))
        except PurgeRunning:
            together.append({})
        except Exception as error:
            wrong.append(error)
        finally:
            connections.close_all()

    threads += [threading.Thread(target=run) for _ in range(2)]
    for each in threads:
        each.start()
    for each in threads:
        each.join(timeout=60)
    assert wrong == []
    assert {name: sum(each.get(name, 0) for each in together) for name in announced} == announced
    assert what_is_left() == LEFT
    assert sum(purge(now=NOW).values()) == 0
