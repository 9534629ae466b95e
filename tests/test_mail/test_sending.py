"""What is due is asked about, written, sent and recorded, and one bad message stops nobody (EM-8, EM-9, EM-10, OP-5)."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable
from datetime import timedelta
from io import StringIO
from typing import Any

import pytest
from django.core import mail
from django.core.management import CommandError, call_command
from django.db import OperationalError, connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone, translation

from tests.test_mail.outboxes import Backend, Plan
from thankyou_flows.followups import stops
from thankyou_flows.mail import claiming, composing, connections, errors, gate, sending
from thankyou_flows.mail.composing import DoNotSend, SendLater
from thankyou_flows.mail.sending import Report, Run, send_due
from thankyou_flows.models import Ground, Message, MessageKind, WhyNot

pytestmark = pytest.mark.django_db

State = Message.State
HOUR = timedelta(hours=1)
SHOP = {"STORE": "thankyou_flows.stores.dummy.DummyStore", "BASE_URL": "https://shop.example"}


@pytest.fixture
def open_gate(monkeypatch: pytest.MonkeyPatch) -> None:
    """A gate that lets everything through: who may get what is the gate's own tests'."""
    monkeypatch.setattr(gate, "standings", lambda messages, now: {})
    monkeypatch.setattr(gate, "judge", lambda message, standing, now: Ground.CONSENT)
    monkeypatch.setattr(gate, "take_place", lambda message, now: True)


def fresh(message: Message) -> Message:
    return Message.objects.get(pk=message.pk)


# One message


def test_a_mail_goes_out(planned: Plan) -> None:
    """EM-10: sent once, recorded with what the customer saw."""
    message = planned(context={"subject": "Your link", "text": "Here", "html": "<b>Here</b>"})
    now = timezone.now()
    assert send_due(now=now) == Report(sent=1)
    assert send_due(now=now) == Report()
    row = fresh(message)
    assert (row.state, row.attempts, row.ground) == ("sent", 1, Ground.REQUEST)
    assert (row.sent_at, row.settled_at, row.lease_until) == (now, now, None)
    assert (row.subject, row.text, row.html) == ("Your link", "Here", "<b>Here</b>")
    (sent,) = mail.outbox
    assert sent.extra_headers["Auto-Submitted"] == "auto-generated"
    assert "List-Unsubscribe" not in sent.extra_headers
    assert (sent.tags, sent.metadata) == (["transactional"], {"message": message.key})


def test_advertising_says_how_to_leave(planned: Plan, open_gate: None) -> None:
    """EM-5: both headers in each mail that is not transactional."""
    planned(kind=MessageKind.NEWSLETTER)
    send_due()
    headers = mail.outbox[0].extra_headers
    assert headers["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    assert headers["List-Unsubscribe"].startswith("<https://shop.example/")


def test_clicks_are_counted_only_if_wanted(planned: Plan, open_gate: None, settings: Any) -> None:
    """Anymail's ``track_clicks``, and never in transactional mail: its links are personal."""
    for wanted in (False, True):
        settings.THANKYOU_FLOWS = {**SHOP, "COUNT_CLICKS": wanted}
        planned(f"news {wanted}", email="a@example.com", kind=MessageKind.NEWSLETTER)
        planned(f"link {wanted}", email="a@example.com")
    send_due()
    assert [hasattr(each, "track_clicks") for each in mail.outbox] == [True, False, True, False]


def test_secrets_are_not_kept(planned: Plan) -> None:
    """TY-4: the customer gets the link, the row a mask; also where HTML or a URL writes it otherwise."""
    context = {
        "text": "https://shop.example/?t=a+b&c",
        "html": '<a href="?t=a+b&amp;c">Go</a> a%2Bb%26c',
        "secrets": ["a+b&c"],
    }
    message = planned(context=context)
    send_due()
    assert "a+b&c" in mail.outbox[0].body
    row = fresh(message)
    assert (row.text, row.html) == ("https://shop.example/?t=…", '<a href="?t=…">Go</a> …')


def test_the_language_is_the_message_s(planned: Plan, monkeypatch: pytest.MonkeyPatch) -> None:
    """Also where a worker has another one; a language that the site does not know any more is the site's own."""
    seen = []

    def compose(**_: Any) -> composing.Mail:
        seen.append(translation.get_language())
        return composing.Mail(subject="x", text="y")

    monkeypatch.setattr(composing, "find_composer", lambda name: compose)
    for number, language in enumerate(["de", "tlh", ""]):
        planned(str(number), email="a@example.com", language=language)
    with translation.override("fr"):
        send_due()
        assert translation.get_language() == "fr"
    assert seen == ["de", "en-gb", "en-gb"]


def test_a_backend_that_cannot_carry_statistics(planned: Plan, use_backend: Callable[[Any], None]) -> None:
    """Anymail refuses what a provider does not know before it calls it: then the mail goes without."""

    class AnymailUnsupportedFeature(ValueError):
        pass

    def refuse(email: Any) -> None:
        if email.tags or email.metadata:
            raise AnymailUnsupportedFeature

    backend = Backend(refuse)
    use_backend(backend)
    planned()
    assert send_due() == Report(sent=1)
    assert len(backend.sent) == 1


# What keeps a mail from going out


@pytest.mark.parametrize(("composer", "asked"), [("follow_up", 1), ("tests.test_mail.outboxes.compose", 0)])
def test_a_follow_up_is_reconsidered(
    planned: Plan, open_gate: None, monkeypatch: pytest.MonkeyPatch, composer: str, asked: int
) -> None:
    """EM-12: before each attempt, and only follow-ups."""
    calls = []

    def reconsider(message: Message, *, now: Any) -> None:
        calls.append(message.pk)
        raise DoNotSend(WhyNot.ORDERED_AGAIN)

    monkeypatch.setattr(stops, "reconsider", reconsider)
    message = planned(composer=composer, kind=MessageKind.FOLLOW_UP)
    send_due()
    assert len(calls) == asked
    if asked:
        assert (fresh(message).state, fresh(message).why_not) == ("skipped", "ordered_again")


def test_the_gate_says_no(planned: Plan, open_gate: None, monkeypatch: pytest.MonkeyPatch) -> None:
    """EM-6: it is asked with this person's standing, and its reason is kept."""
    standing = gate.Standing(pending=frozenset({"news"}))
    message = planned(kind=MessageKind.NEWSLETTER)
    monkeypatch.setattr(gate, "standings", lambda messages, now: {each.email_key: standing for each in messages})
    seen = []

    def judge(**arguments: Any) -> Ground:
        seen.append(arguments["standing"])
        raise DoNotSend(WhyNot.PENDING)

    monkeypatch.setattr(gate, "judge", judge)
    assert send_due() == Report(skipped=1)
    assert seen == [standing]
    assert (fresh(message).state, fresh(message).why_not, fresh(message).attempts) == ("skipped", "pending", 0)
    assert mail.outbox == []


def test_later(planned: Plan, open_gate: None, monkeypatch: pytest.MonkeyPatch) -> None:
    """EM-12: quiet hours and caps are no attempt; then the mail goes, and what it waited for is forgotten."""
    now = timezone.now()

    def judge(**arguments: Any) -> Ground:
        if arguments["now"] < now + HOUR:
            raise SendLater(until=now + HOUR, why=WhyNot.QUIET)
        return Ground.CONSENT

    monkeypatch.setattr(gate, "judge", judge)
    message = planned(kind=MessageKind.NEWSLETTER)
    assert send_due(now=now) == Report(postponed=1)
    row = fresh(message)
    assert (row.state, row.due_at, row.why_not, row.attempts, row.worker) == ("planned", now + HOUR, "quiet", 0, "")
    assert send_due(now=now) == Report()
    assert send_due(now=now + HOUR) == Report(sent=1)
    assert fresh(message).why_not == ""


def test_later_than_worth_it(planned: Plan, open_gate: None, monkeypatch: pytest.MonkeyPatch) -> None:
    """What would go out after its time is not sent at all."""
    now = timezone.now()

    def judge(**_: Any) -> Ground:
        raise SendLater(until=now + HOUR, why=WhyNot.PAUSED)

    monkeypatch.setattr(gate, "judge", judge)
    message = planned(kind=MessageKind.NEWSLETTER, expires_at=now + HOUR)
    assert send_due(now=now) == Report(skipped=1)
    assert fresh(message).why_not == WhyNot.TOO_LATE


def test_a_gate_that_names_the_past_does_not_turn_in_circles(
    planned: Plan, open_gate: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    def judge(**arguments: Any) -> Ground:
        raise SendLater(until=arguments["now"], why=WhyNot.QUIET)

    monkeypatch.setattr(gate, "judge", judge)
    planned(kind=MessageKind.NEWSLETTER)
    assert send_due(now=timezone.now()) == Report(postponed=1)


def test_somebody_else_took_the_place(planned: Plan, open_gate: None, monkeypatch: pytest.MonkeyPatch) -> None:
    """EM-12: of two for one person the second waits, until when the gate says with what it knows now."""
    now = timezone.now()
    taken: list[str] = []

    def take_place(*, message: Message, now: Any) -> bool:
        taken.append(message.dedupe_key)
        return len(taken) == 1

    def standings(messages: Any, *, now: Any) -> dict[str, gate.Standing]:
        return {each.email_key: gate.Standing(last_marketing_at=now if taken else None) for each in messages}

    def judge(*, message: Message, standing: gate.Standing, now: Any) -> Ground:
        if standing.last_marketing_at:
            raise SendLater(until=now + 24 * HOUR, why=WhyNot.TOO_MANY)
        return Ground.CONSENT

    for name, function in (("take_place", take_place), ("standings", standings), ("judge", judge)):
        monkeypatch.setattr(gate, name, function)
    for name in ("first", "second"):
        planned(name, email="ann@example.com", kind=MessageKind.NEWSLETTER)
    assert send_due(now=now) == Report(sent=1, postponed=1)
    second = Message.objects.get(dedupe_key="second")
    assert (second.due_at, second.why_not) == (now + 24 * HOUR, "too_many")


def test_an_erased_person_gets_nothing(planned: Plan) -> None:
    planned(email="")
    assert send_due() == Report(skipped=1)
    assert Message.objects.get().why_not == WhyNot.ERASED


@pytest.mark.parametrize("ending", ["sent", "sent late", "failed", "retried"])
def test_nothing_of_an_erased_person_comes_back(planned: Plan, ending: str) -> None:
    """EM-13: erased while the mail server had it: neither the provider's id nor an error is written into the blank row."""
    message, now = planned(), timezone.now()
    [mine] = claiming.claim(worker="w", limit=1, now=now)
    assert claiming.begin(message=mine, ground=Ground.REQUEST, now=now, subject="Hi", text="Ann", html="")
    Message.objects.update(email="", email_key="", subject="", text="", html="")
    if ending == "sent late":
        claiming.sweep(now=now + 2 * claiming.lease())
    match ending:
        case "failed":
            assert claiming.record_failed(message=mine, why=WhyNot.REFUSED, now=now, error="550 no Ann")
        case "retried":
            assert claiming.retry(message=mine, due_at=now, error="450 no Ann", uncertain=True)
        case _:
            assert claiming.record_sent(message=mine, now=now, provider_id="<ann@provider.example>")
    row = fresh(message)
    assert (row.provider_id, row.subject, row.text, row.html) == ("", "", "", "")
    assert "Ann" not in row.last_error


# Stopping wins (EM-6)


def test_stopped_while_it_is_written(planned: Plan, monkeypatch: pytest.MonkeyPatch) -> None:
    """EM-6: between the claim and the sending, the last word is the row's."""
    from thankyou_flows.mail.outbox import stop

    def compose(*, message: Message, now: Any) -> composing.Mail:
        assert stop(messages=Message.objects.filter(pk=message.pk), why=WhyNot.LEFT) == 1
        return composing.Mail(subject="x", text="y")

    monkeypatch.setattr(composing, "find_composer", lambda name: compose)
    message = planned()
    assert send_due() == Report()
    assert mail.outbox == []
    assert (fresh(message).state, fresh(message).why_not, fresh(message).attempts) == ("skipped", "left", 0)


@pytest.mark.teeth
def test_without_the_guard_it_would_be_sent(planned: Plan, monkeypatch: pytest.MonkeyPatch) -> None:
    """EM-6: if ``begin`` did not look, the test above would see a mail to somebody who has left."""
    from thankyou_flows.mail.outbox import stop

    def compose(*, message: Message, now: Any) -> composing.Mail:
        stop(messages=Message.objects.filter(pk=message.pk), why=WhyNot.LEFT)
        return composing.Mail(subject="x", text="y")

    monkeypatch.setattr(composing, "find_composer", lambda name: compose)
    monkeypatch.setattr(claiming, "begin", lambda **_: True)
    planned()
    send_due()
    assert len(mail.outbox) == 1


# One bad message stops nobody (EM-9)


@pytest.mark.parametrize(
    "context",
    [
        pytest.param({"raise": "ValueError"}, id="ValueError"),
        pytest.param({"raise": "KeyError"}, id="KeyError"),
        pytest.param({"subject": "Hi\nBcc: bob@example.com"}, id="subject of two lines"),
        pytest.param({"headers": {"X-A": "1\r\nBcc: bob@example.com"}}, id="header of two lines"),
    ],
)
def test_a_poisoned_one_between_two(
    planned: Plan, states: Any, context: dict[str, Any], caplog: pytest.LogCaptureFixture
) -> None:
    """EM-8, EM-9: the mail that cannot be written fails without an attempt; its neighbours go out. No address is logged."""
    planned("before")
    poisoned = planned("poison", context=context)
    planned("after")
    assert send_due() == Report(sent=2, failed=1)
    assert states() == {"before": "sent", "poison": "failed", "after": "sent"}
    row = fresh(poisoned)
    assert (row.why_not, row.attempts) == (WhyNot.UNSENDABLE, 0)
    assert "Error" in row.last_error
    assert "could not be written" in caplog.text
    assert "example.com" not in caplog.text
    assert send_due() == Report()


def test_a_composer_that_does_not_exist(planned: Plan, states: Any) -> None:
    planned("gone", composer="nowhere.at_all")
    planned("good")
    assert send_due() == Report(sent=1, failed=1)
    assert states() == {"gone": "failed", "good": "sent"}


def test_a_composer_whose_server_is_away_is_tried_again(planned: Plan) -> None:
    """A shop's picture server or API: late, not lost."""
    message = planned(context={"raise": "OSError"})
    assert send_due() == Report(retried=1)
    assert (fresh(message).state, fresh(message).attempts) == ("planned", 1)


def test_a_rule_that_breaks_is_tried_again(planned: Plan, open_gate: None, monkeypatch: pytest.MonkeyPatch) -> None:
    """A bug that is mended tomorrow costs nobody a mail; one that is not ends after the attempts."""

    def judge(**_: Any) -> Ground:
        raise RuntimeError

    monkeypatch.setattr(gate, "judge", judge)
    message = planned()
    now = timezone.now()
    for _ in range(7):
        assert send_due(now=now) == Report(retried=1)
        now = fresh(message).due_at
    assert send_due(now=now) == Report(failed=1)
    assert fresh(message).why_not == WhyNot.GAVE_UP


def test_facts_that_cannot_be_gathered_for_one(planned: Plan, states: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """EM-9: they are gathered for all at once; if one spoils that, each is looked at alone."""

    def standings(messages: Any, *, now: Any) -> dict[str, gate.Standing]:
        if any(each.dedupe_key == "poison" for each in messages):
            raise KeyError
        return {}

    monkeypatch.setattr(gate, "standings", standings)
    for name in ("before", "poison", "after"):
        planned(name)
    assert send_due() == Report(sent=2, retried=1)
    assert states() == {"before": "sent", "poison": "planned", "after": "sent"}


# Attempts


def test_eight_attempts_in_three_days(
    planned: Plan, use_backend: Callable[[Any], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    """EM-10: soft failures are tried again, each time later, with some jitter, and given up in the end."""

    def refuse(email: Any) -> None:
        raise ConnectionRefusedError

    use_backend(Backend(refuse))
    message = planned()
    start = now = timezone.now()
    waits = []
    while fresh(message).state == State.PLANNED:
        send_due(now=now)
        now, before = fresh(message).due_at, now
        waits.append(now - before)
    waits.pop()
    row = fresh(message)
    assert (row.state, row.why_not, row.attempts) == ("failed", WhyNot.GAVE_UP, 8)
    assert waits == sorted(waits)
    assert timedelta(minutes=3) < waits[0] < timedelta(minutes=5)
    assert timedelta(days=2.5) < now - start < timedelta(days=3.5)
    assert waits[0] != errors.wait_before(1) or waits[1] != errors.wait_before(2)


def test_no_attempt_after_its_time(planned: Plan, use_backend: Callable[[Any], None]) -> None:
    def refuse(email: Any) -> None:
        raise ConnectionRefusedError

    use_backend(Backend(refuse))
    now = timezone.now()
    message = planned(expires_at=now + timedelta(minutes=2))
    assert send_due(now=now) == Report(failed=1)
    assert fresh(message).why_not == WhyNot.GAVE_UP


def test_nobody_knows_whether_it_was_sent(planned: Plan, use_backend: Callable[[Any], None]) -> None:
    """EM-10: tried again once, and never a third time."""

    def break_down(email: Any) -> None:
        raise RuntimeError("something after the mail was out")

    use_backend(Backend(break_down))
    message = planned()
    assert send_due() == Report(retried=1)
    row = fresh(message)
    assert (row.state, row.uncertain, row.attempts) == ("planned", 1, 1)
    assert send_due(now=row.due_at) == Report(failed=1)
    row = fresh(message)
    assert (row.state, row.why_not, row.uncertain) == ("failed", WhyNot.UNCERTAIN, 2)


def test_a_mail_server_that_is_away_costs_few_attempts(
    planned: Plan, use_backend: Callable[[Any], None], states: Any
) -> None:
    """After three in a row the run ends, and the others keep their attempts; next time they come first."""
    is_away = True

    def refuse(email: Any) -> None:
        if is_away:
            raise ConnectionRefusedError

    use_backend(Backend(refuse))
    for number in range(10):
        planned(str(number), email="a@example.com")
    assert send_due() == Report(retried=3)
    assert Message.objects.filter(attempts=0, state=State.PLANNED, worker="").count() == 7
    is_away = False
    assert send_due() == Report(sent=7)


def test_a_backend_that_sends_nothing(planned: Plan, use_backend: Callable[[Any], None]) -> None:
    """``fail_silently`` in the project's settings must not look like success."""

    class Silent(Backend):
        def send_messages(self, emails: list[Any]) -> int:
            return 0

    use_backend(Silent())
    planned()
    assert send_due() == Report(retried=1)


def test_one_connection_for_a_batch(planned: Plan, use_backend: Callable[[Any], None]) -> None:
    """Opened when there is something to send, used for all, and closed at the end; opened anew after it broke."""

    def break_once(email: Any) -> None:
        if email.to == ["2@example.com"] and backend.opened == 1:
            raise ConnectionResetError

    backend = Backend(break_once)
    use_backend(backend)
    assert send_due() == Report()
    assert backend.opened == 0
    for number in range(5):
        planned(str(number))
    assert send_due() == Report(sent=5)
    assert (backend.opened, backend.closed) == (2, 2)
    assert backend.recipients == ["0", "1", "2", "3", "4"]


# Leases


def test_a_claimed_one_comes_back(planned: Plan) -> None:
    """OP-5: a worker that died before the sending; nothing is counted."""
    now = timezone.now()
    message = planned()
    (claimed,) = claiming.claim(worker="dead", limit=5, now=now)
    assert claimed.pk == message.pk
    assert send_due(now=now + timedelta(seconds=300)) == Report()
    assert send_due(now=now + timedelta(seconds=301)) == Report(sent=1)
    row = fresh(message)
    assert (row.attempts, row.uncertain) == (1, 0)


def test_one_that_was_being_sent_comes_back_once(planned: Plan) -> None:
    """EM-10: at most two mails, whatever happens."""
    now = timezone.now()
    message = planned()
    for uncertain in (1, 2):
        (claimed,) = claiming.claim(worker="dead", limit=5, now=now)
        assert claiming.begin(message=claimed, ground=Ground.REQUEST, now=now, subject="x", text="y", html="")
        assert claiming.sweep(now=now) == 0
        now += timedelta(seconds=301)
        assert claiming.sweep(now=now) == 1
        assert fresh(message).uncertain == uncertain
    assert (fresh(message).state, fresh(message).why_not) == ("failed", WhyNot.UNCERTAIN)
    assert send_due(now=now) == Report()


def test_late_news_of_a_slow_worker_saves_a_second_mail(planned: Plan) -> None:
    """The lease ran out while the server took its time; nobody has sent it again yet."""
    now = timezone.now()
    message = planned()
    (claimed,) = claiming.claim(worker="slow", limit=5, now=now)
    claiming.begin(message=claimed, ground=Ground.REQUEST, now=now, subject="x", text="y", html="")
    now += timedelta(seconds=301)
    claiming.sweep(now=now)
    assert claiming.record_sent(message=claimed, now=now)
    assert fresh(message).state == State.SENT
    assert send_due(now=now) == Report()


def test_a_worker_that_lost_its_message_leaves_it_alone(planned: Plan) -> None:
    """OP-5: whatever it has to say, the row is another one's."""
    now = timezone.now()
    message = planned()
    (old,) = claiming.claim(worker="old", limit=5, now=now)
    now += timedelta(seconds=301)
    claiming.sweep(now=now)
    (new,) = claiming.claim(worker="new", limit=5, now=now)
    assert not claiming.begin(message=old, ground=Ground.REQUEST, now=now, subject="x", text="y", html="")
    assert not claiming.skip(message=old, why=WhyNot.LEFT, now=now)
    assert not claiming.retry(message=old, due_at=now)
    assert not claiming.postpone(message=old, until=now, why=WhyNot.QUIET)
    assert not claiming.record_failed(message=old, why=WhyNot.REFUSED, now=now)
    assert claiming.give_back([old]) == 0
    assert claiming.begin(message=new, ground=Ground.REQUEST, now=now, subject="x", text="y", html="")
    assert not claiming.record_sent(message=old, now=now)
    assert fresh(message).state == State.ATTEMPTING


def test_a_slow_batch_is_given_back(
    planned: Plan, use_backend: Callable[[Any], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    """At half the lease the rest is claimed anew, with fresh facts: never two workers at one message."""
    clock = iter(range(0, 100000, 100))
    monkeypatch.setattr(sending, "monotonic", lambda: next(clock))
    claims = []
    claim = claiming.claim

    def count(**arguments: Any) -> list[Message]:
        claims.append(claim(**arguments))
        return claims[-1]

    monkeypatch.setattr(claiming, "claim", count)
    for number in range(4):
        planned(str(number))
    assert send_due(limit=4) == Report(sent=4)
    assert [len(batch) for batch in claims] == [4, 3, 2, 1, 0]


def test_the_database_hangs_up_before_it_is_recorded(planned: Plan, monkeypatch: pytest.MonkeyPatch) -> None:
    """EM-10: the mail is out and nobody could write it down: it goes once more, not never. The rest is given back."""
    now = timezone.now()
    first = planned("first")
    planned("second")

    def fail(**_: Any) -> bool:
        raise OperationalError

    with monkeypatch.context() as patch, pytest.raises(OperationalError):
        patch.setattr(claiming, "record_sent", fail)
        send_due(now=now)
    assert (fresh(first).state, Message.objects.get(dedupe_key="second").state) == ("attempting", "planned")
    assert send_due(now=now) == Report(sent=1)
    assert send_due(now=now + timedelta(seconds=301)) == Report(sent=1)
    assert len(mail.outbox) == 3


# How much at once


def test_a_limit(planned: Plan) -> None:
    for number in range(5):
        planned(str(number))
    assert send_due(limit=2) == Report(sent=2)
    assert mail.outbox[0].to == ["0@example.com"]
    assert send_due(limit=0) == Report()
    assert send_due() == Report(sent=3)


@pytest.mark.parametrize("count", [1, 20])
def test_the_number_of_queries(planned: Plan, count: int) -> None:
    """Transactional: two statements a message, beside the savepoint of a test; what a batch costs is the same for all."""
    for number in range(count):
        planned(str(number))
    send_due(limit=0)
    with CaptureQueriesContext(connection) as queries:
        assert send_due(limit=count).sent == count
    statements = [each["sql"] for each in queries if "SAVEPOINT" not in each["sql"]]
    assert len([each for each in statements if each.lstrip().startswith("UPDATE")]) <= 2 * count + 1
    assert len(statements) - 2 * count <= 5


# The command


def run(**options: Any) -> str:
    out = StringIO()
    call_command("send_due_messages", stdout=out, **options)
    return out.getvalue().strip()


def test_the_command(planned: Plan) -> None:
    for number in range(3):
        planned(str(number))
    assert run(limit=2) == "sent=2 skipped=0 postponed=0 retried=0 failed=0"
    assert run().startswith("sent=1 ")
    assert run().startswith("sent=0 ")


def test_the_command_plans_before(monkeypatch: pytest.MonkeyPatch, planned: Plan) -> None:
    """What has to be looked for is planned, and goes out in the same round."""
    from thankyou_flows.followups import looking

    monkeypatch.setattr(looking, "look_around", lambda **_: planned())
    assert run(plan=True).startswith("sent=1 ")


def test_the_command_goes_on_until_it_is_told(
    planned: Plan, use_backend: Callable[[Any], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    """OP-5: SIGTERM ends it after the message at hand, and what else was claimed is there for the next one."""

    def stop_at_the_second(email: Any) -> None:
        if email.to == ["1@example.com"]:
            os.kill(os.getpid(), signal.SIGTERM)

    before = signal.getsignal(signal.SIGTERM)
    use_backend(Backend(stop_at_the_second))
    for number in range(4):
        planned(str(number))
    assert run(every=0.01).startswith("sent=2 ")
    assert Message.objects.filter(state=State.PLANNED, worker="", lease_until=None).count() == 2
    assert signal.getsignal(signal.SIGTERM) is before


def test_the_command_outlives_a_bad_round(
    planned: Plan, use_backend: Callable[[Any], None], monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """OP-4: the database is away for a moment."""
    sweep = claiming.sweep
    rounds = []

    def fail_once(**arguments: Any) -> int:
        rounds.append(1)
        if len(rounds) == 1:
            raise OperationalError
        return sweep(**arguments)

    monkeypatch.setattr(claiming, "sweep", fail_once)
    use_backend(Backend(lambda email: os.kill(os.getpid(), signal.SIGINT)))
    planned()
    assert run(every=0.01).startswith("sent=1 ")
    assert "A round of sending mail failed: OperationalError" in caplog.text


@pytest.mark.parametrize("options", [["--every", "0"], ["--every", "often"], ["--limit", "0"], ["--limit", "many"]])
def test_the_command_wants_numbers(options: list[str]) -> None:
    with pytest.raises(CommandError, match="give a"):
        call_command("send_due_messages", *options)


def test_a_run_in_a_hurry(planned: Plan, use_backend: Callable[[Any], None]) -> None:
    """A request that sends its own mails stops at the first sign that the mail server is away."""

    def refuse(email: Any) -> None:
        raise ConnectionRefusedError

    use_backend(Backend(refuse))
    ids = [planned(str(number)).pk for number in range(3)]
    assert Run(ids=ids, seconds=10, patience=1).go() == Report(retried=1)
    assert Run(ids=ids, seconds=-1).go() == Report()


# Connections


def test_the_connection_is_the_project_s(settings: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """On Django 6.1 and later from ``MAILERS``, where ``get_connection`` is deprecated."""
    assert type(connections.get_connection()).__module__ == "django.core.mail.backends.locmem"

    class Mailers:
        default = Backend()

    monkeypatch.setattr(connections.django, "VERSION", (6, 1, 0, "final", 0))
    monkeypatch.setattr(connections.mail, "mailers", Mailers, raising=False)
    assert connections.get_connection() is Mailers.default
