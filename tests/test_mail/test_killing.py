"""A worker that is really killed, with SIGKILL, loses no mail and sends none three times (EM-10, OP-5)."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from django.utils import timezone

from tests.test_coupons.test_killing import database
from tests.test_mail.nursery import Nursery, open_nursery
from tests.test_mail.outboxes import plan
from thankyou_flows.mail import claiming
from thankyou_flows.models import Message, WhyNot

__all__ = ["database"]

pytestmark = pytest.mark.django_db(transaction=True)

KILLED = -9
#: Later than any lease.
LATER = timedelta(hours=1)


@pytest.fixture
def sent(tmp_path: Path) -> Path:
    """The file with a line for each mail that was sent."""
    path = tmp_path / "sent"
    path.touch()
    return path


@pytest.fixture
def nursery(database: str, sent: Path) -> Iterator[Nursery]:  # noqa: F811
    with open_nursery(database, sent) as found:
        yield found


def count(sent: Path) -> Counter[str]:
    return Counter(line.partition("@")[0] for line in sent.read_text().splitlines())


def finish(nursery: Nursery, now: datetime) -> None:
    """Let workers that nobody kills do the rest."""
    for _ in range(3):
        now += LATER
        assert nursery.work(now=now.isoformat()) == [0]
    assert not Message.objects.open().exists()


@pytest.mark.parametrize("seed", range(4))
def test_between_sending_and_recording(nursery: Nursery, sent: Path, seed: int) -> None:
    """EM-10: ten workers die one after the other when a mail is out and not recorded: never none, at most two, and
    those that no worker died at go out once.
    """
    choice = random.Random(seed)
    for number in range(20):
        plan(f"m{number}")
    now = timezone.now()
    for _ in range(10):
        assert nursery.work(now=now.isoformat(), die="sent", after=choice.randrange(4)) in ([KILLED], [0])
        now += LATER
    finish(nursery, now)
    mails = count(sent)
    assert set(mails) == {f"m{number}" for number in range(20)}
    assert max(mails.values()) <= 2
    for message in Message.objects.all():
        # An attempt that nobody recorded is a second mail, and no more than that.
        assert mails[message.dedupe_key] == min(2, 1 + message.uncertain), message.dedupe_key
        assert message.state == ("failed" if message.uncertain == 2 else "sent")


@pytest.mark.parametrize("seed", range(4))
def test_at_any_point(nursery: Nursery, sent: Path, seed: int) -> None:
    """OP-5: also with a batch in hand, in between, and just when all was well. Nothing is stuck, nothing is lost."""
    choice = random.Random(1000 + seed)
    for number in range(30):
        plan(f"m{number}")
    now = timezone.now()
    for _ in range(12):
        point = choice.choice(["claimed", "sent", "recorded"])
        nursery.work(now=now.isoformat(), die=point, after=choice.randrange(4))
        now += LATER
    finish(nursery, now)
    mails = count(sent)
    assert set(mails) == {f"m{number}" for number in range(30)}
    assert max(mails.values()) <= 2


def test_twice_at_the_same_mail(nursery: Nursery, sent: Path) -> None:
    """EM-10: two mails are out and nobody recorded either: it is given up and said, not sent a third time."""
    message = plan()
    now = timezone.now()
    for _ in range(2):
        assert nursery.work(now=now.isoformat(), die="sent") == [KILLED]
        now += LATER
    finish(nursery, now)
    message.refresh_from_db()
    assert (message.state, message.why_not) == ("failed", WhyNot.UNCERTAIN)
    assert count(sent) == {"one": 2}


def test_just_before_the_sending(nursery: Nursery, sent: Path) -> None:
    """The mail was marked and not handed over: it goes out by the next worker, once."""
    plan()
    now = timezone.now()
    assert nursery.work(now=now.isoformat(), die="begun") == [KILLED]
    finish(nursery, now)
    assert count(sent) == {"one": 1}


def test_the_others_wait_for_nobody(nursery: Nursery, sent: Path) -> None:
    """What the dead had claimed rests until its lease is over; what it had not goes out at once."""
    plan("claimed")
    now = timezone.now()
    assert nursery.work(now=now.isoformat(), die="claimed") == [KILLED]
    plan("next")
    assert nursery.work(now=now.isoformat()) == [0]
    assert count(sent) == {"next": 1}
    assert nursery.work(now=(now + LATER).isoformat()) == [0]
    assert count(sent) == {"next": 1, "claimed": 1}


@pytest.mark.teeth
def test_without_sweeping_mail_is_lost(nursery: Nursery, sent: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """If nobody took up what the dead had left, it would stay where it is: ``finish`` would notice."""
    from thankyou_flows.mail.sending import send_due

    plan()
    now = timezone.now()
    assert nursery.work(now=now.isoformat(), die="claimed") == [KILLED]
    monkeypatch.setattr(claiming, "sweep", lambda now: 0)
    assert send_due(now=now + LATER).sent == 0
    assert Message.objects.get().state == "claimed"


@pytest.mark.teeth
def test_without_counting_there_would_be_three(nursery: Nursery, sent: Path) -> None:
    """If a lost attempt were forgotten, a mail could go out again and again."""
    plan()
    now = timezone.now()
    for _ in range(3):
        assert nursery.work(now=now.isoformat(), die="sent") == [KILLED]
        now += LATER
        claiming.sweep(now=now)
        Message.objects.update(uncertain=0)
    assert count(sent)["one"] == 3
