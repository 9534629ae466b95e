"""Mail is written with its reason, once, and can be stopped until it is handed over (EM-8, EM-10)."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.core import mail
from django.core.exceptions import ValidationError
from django.core.mail import EmailMessage, EmailMultiAlternatives
from django.db import OperationalError, transaction
from django.utils import timezone

from coupons.holders import customer_key
from tests.test_mail.outboxes import COMPOSER, Plan
from thankyou_flows.mail import claiming, outbox, waking
from thankyou_flows.mail.outbox import queue, queue_email, requeue, send_by_outbox, stop
from thankyou_flows.mail.sending import send_due
from thankyou_flows.models import Message, MessageKind, WhyNot

pytestmark = pytest.mark.django_db

State = Message.State


def write(name: str = "one", **changes: Any) -> Message | None:
    values = {
        "email": "ann@example.com",
        "composer": COMPOSER,
        "reason": "test",
        "kind": MessageKind.TRANSACTIONAL,
        **changes,
    }
    return queue(dedupe_key=name, **values)


def letter(**changes: Any) -> EmailMultiAlternatives:
    values: dict[str, Any] = {"subject": "Hello", "body": "Text", "to": ["Ann <ann@example.com>"], **changes}
    message = EmailMultiAlternatives(**values)
    message.attach_alternative("<p>Text</p>", "text/html")
    return message


# Writing


def test_what_is_written() -> None:
    """EM-10: the row holds what the gate and the composer need, and the person by the key that all apps share."""
    before = timezone.now()
    message = write(email="  Ann@Example.com ", ref="T-1", language="de", context={"order": "T-1"})
    assert message is not None
    message.refresh_from_db()
    assert (message.state, message.email, message.email_key) == (
        "planned",
        "Ann@Example.com",
        customer_key("ann@example.com"),
    )
    assert (message.ref, message.language, message.context) == ("T-1", "de", {"order": "T-1"})
    assert before <= message.due_at <= timezone.now()
    assert message.expires_at is None


def test_whoever_writes_says_of_what_kind_it_is() -> None:
    """EM-11: nobody sends advertising as transactional mail because they forgot a word."""
    with pytest.raises(TypeError, match="kind"):
        queue(dedupe_key="one", email="ann@example.com", composer=COMPOSER, reason="test")  # type: ignore[call-arg]
    with pytest.raises(TypeError, match="kind"):
        queue_email(message=letter(), dedupe_key="one", reason="test")  # type: ignore[call-arg]


def test_advertising_is_not_worth_much_after_a_week(settings: Any) -> None:
    """LATE_DAYS: what answers a customer goes out however late; a reminder does not."""
    settings.THANKYOU_FLOWS = {**settings.THANKYOU_FLOWS, "LATE_DAYS": 2}
    due_at = timezone.now() + timedelta(days=5)
    message = write(kind=MessageKind.FOLLOW_UP, due_at=due_at)
    assert message is not None
    assert message.expires_at == due_at + timedelta(days=2)


def test_the_same_is_written_once() -> None:
    """EM-10: the unique key; the second one is None, whatever became of the first."""
    first = write()
    assert first is not None
    assert write() is None
    Message.objects.update(state=State.SENT)
    assert write(email="bob@example.com") is None
    assert write("two") is not None


def test_two_at_once_write_one(monkeypatch: pytest.MonkeyPatch) -> None:
    """EM-10: if neither sees the other, the database decides, and the caller's transaction goes on."""
    assert write() is not None
    same = Message.objects.filter
    looks = iter([False, True])

    class Blind:
        def exists(self) -> bool:
            return next(looks)

    monkeypatch.setattr(Message.objects, "filter", lambda **changes: Blind() if "dedupe_key" in changes else same())
    assert write() is None
    monkeypatch.undo()
    assert Message.objects.count() == 1


@pytest.mark.parametrize(
    "email", ["", "ann", "ann@", "ann@example.com\nBcc: x@example.com", "a@example.com,b@example.com"]
)
def test_an_address_is_one(email: str) -> None:
    """EM-8: nothing that could become a second header or a second recipient."""
    with pytest.raises(ValidationError):
        write(email=email)
    assert not Message.objects.exists()


@pytest.mark.parametrize("key", ["", "x" * 201], ids=["empty", "too long"])
def test_a_key_is_needed(key: str) -> None:
    with pytest.raises(ValueError, match="dedupe_key"):
        write(key)


def test_rollback_sends_nothing(django_capture_on_commit_callbacks: Any) -> None:
    """EM-10: the row is written with its reason, so it goes with it."""
    with (
        django_capture_on_commit_callbacks(execute=True) as callbacks,
        pytest.raises(RuntimeError),
        transaction.atomic(),
    ):
        write()
        raise RuntimeError
    assert callbacks == []
    assert not Message.objects.exists()
    assert mail.outbox == []


# Waking


def test_it_is_sent_after_commit_without_a_worker(django_capture_on_commit_callbacks: Any) -> None:
    """D8: Django's own task backend runs at once, so the mail goes out with the request."""
    with django_capture_on_commit_callbacks(execute=True):
        write()
        assert mail.outbox == []
    assert [each.to for each in mail.outbox] == [["ann@example.com"]]


def test_a_request_is_not_held_up_by_others(planned: Plan, django_capture_on_commit_callbacks: Any) -> None:
    """Inline, only what was just planned is sent, and at most twenty: the rest is the next run's."""
    planned("older", due_at=timezone.now() - timedelta(hours=1))
    with django_capture_on_commit_callbacks(execute=True):
        for number in range(30):
            write(f"m{number}")
    assert len(mail.outbox) == waking.INLINE
    assert Message.objects.get(dedupe_key="older").state == State.PLANNED
    assert send_due().sent == 11


def test_later_is_not_now(django_capture_on_commit_callbacks: Any) -> None:
    with django_capture_on_commit_callbacks(execute=True):
        write(due_at=timezone.now() + timedelta(hours=1))
    assert mail.outbox == []


class Broker:
    """A task backend with a worker somewhere else."""

    supports_defer = True

    def __init__(self, error: Exception | None = None) -> None:
        self.error = error
        self.tasks: list[Any] = []

    def enqueue(self, task: Any, args: Any, kwargs: Any) -> None:
        if self.error is not None:
            raise self.error
        self.tasks.append(task.run_after)

    def validate_task(self, task: Any) -> None:
        pass


@pytest.fixture
def broker(monkeypatch: pytest.MonkeyPatch) -> Broker:
    from thankyou_flows.mail.tasks import send_messages

    broker = Broker()
    monkeypatch.setattr(type(send_messages), "get_backend", lambda self: broker)
    return broker


def test_many_mails_make_few_tasks(broker: Broker, django_capture_on_commit_callbacks: Any) -> None:
    """One task for a transaction, and for many transactions one at once and one behind the window."""
    with django_capture_on_commit_callbacks(execute=True):
        for number in range(100):
            write(f"m{number}")
    assert broker.tasks == [None]
    for number in range(20):
        with django_capture_on_commit_callbacks(execute=True):
            write(f"n{number}")
    assert len(broker.tasks) == 2
    assert broker.tasks[1] > timezone.now()


def test_a_backend_that_cannot_wait_hears_of_each(broker: Broker, django_capture_on_commit_callbacks: Any) -> None:
    """A mail that comes just after the task was done must not wait for nobody."""
    broker.supports_defer = False
    for number in range(3):
        with django_capture_on_commit_callbacks(execute=True):
            write(f"m{number}")
            write(f"m{number} later", due_at=timezone.now() + timedelta(hours=1))
    assert broker.tasks == [None] * 3


def test_later_ones_are_gathered_by_the_minute(broker: Broker, django_capture_on_commit_callbacks: Any) -> None:
    """10,000 mails for tomorrow morning are one task for tomorrow morning."""
    at = (timezone.now() + timedelta(days=1)).replace(second=0, microsecond=0)
    with django_capture_on_commit_callbacks(execute=True):
        for second in range(0, 60, 10):
            write(f"m{second}", due_at=at + timedelta(seconds=second))
    assert broker.tasks == [at + timedelta(minutes=1)]


def test_one_for_later_does_not_silence_one_for_now(broker: Broker, django_capture_on_commit_callbacks: Any) -> None:
    """A confirmed sign-up plans a reminder for next week and mails its coupon now, in one transaction: both are heard."""
    at = timezone.now() + timedelta(days=5)
    with django_capture_on_commit_callbacks(execute=True):
        write("later", due_at=at)
        write("now")
    assert None in broker.tasks
    assert len(broker.tasks) == 2


def test_without_a_cache_everything_wakes(
    broker: Broker, django_capture_on_commit_callbacks: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """OP-4: the cache is down."""

    def fail(*_: Any, **__: Any) -> None:
        raise ConnectionError

    monkeypatch.setattr(waking.cache, "add", fail)
    for number in range(2):
        with django_capture_on_commit_callbacks(execute=True):
            write(f"m{number}")
    assert broker.tasks == [None, None]


@pytest.mark.parametrize(
    "error", [ConnectionError("no broker"), OperationalError("no database")], ids=["broker", "database"]
)
def test_a_broker_that_is_down(
    broker: Broker, error: Exception, django_capture_on_commit_callbacks: Any, caplog: pytest.LogCaptureFixture
) -> None:
    """OP-4, EM-10: nothing is raised into the request; the mail goes out by the next run."""
    broker.error = error
    with django_capture_on_commit_callbacks(execute=True):
        write()
    assert "No worker could be woken" in caplog.text
    assert "ann@example.com" not in caplog.text
    assert send_due().sent == 1


def test_the_database_hangs_up_after_commit(
    django_capture_on_commit_callbacks: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """EM-10: the worker in the request cannot claim; nothing is raised, and the next run sends."""

    def fail(**_: Any) -> None:
        raise OperationalError("server closed the connection unexpectedly")

    with monkeypatch.context() as patch, django_capture_on_commit_callbacks(execute=True):
        patch.setattr(claiming, "claim", fail)
        write()
    assert mail.outbox == []
    assert send_due().sent == 1


def test_a_task_goes_on_with_a_new_one(planned: Plan, broker: Broker, monkeypatch: pytest.MonkeyPatch) -> None:
    """A long queue is worked off by short jobs, which task backends do not kill."""
    from thankyou_flows.mail import tasks

    planned("one")
    planned("two")
    whole = tasks.Run
    monkeypatch.setattr(tasks, "Run", lambda **options: whole(limit=1, **options))
    assert tasks.send_messages.call()["sent"] == 1
    assert broker.tasks == [None]
    tasks.send_messages.call()
    assert broker.tasks == [None]


# Mails of the shop's own


def test_a_mail_of_the_shop(states: Any) -> None:
    """Subject, both texts, reply-to, sender and plain headers arrive; then the row keeps them once only."""
    message = letter(reply_to=["desk@example.com"], headers={"X-Order": "T-1"}, from_email="desk@example.com")
    row = queue_email(
        message=message, dedupe_key="order T-1", reason="order", kind=MessageKind.TRANSACTIONAL, ref="T-1"
    )
    assert row is not None
    assert queue_email(message=message, dedupe_key="order T-1", reason="order", kind=MessageKind.TRANSACTIONAL) is None
    assert send_due().sent == 1
    (sent,) = mail.outbox
    assert (sent.subject, sent.body, sent.to) == ("Hello", "Text", ["ann@example.com"])
    assert sent.alternatives[0][0] == "<p>Text</p>"
    assert (sent.reply_to, sent.from_email) == (["desk@example.com"], "desk@example.com")
    assert sent.extra_headers["X-Order"] == "T-1"
    row.refresh_from_db()
    assert (row.context, row.subject, row.text, row.html) == ({}, "Hello", "Text", "<p>Text</p>")


def test_a_mail_in_html_alone_gets_a_text() -> None:
    message = EmailMessage("Hello", "<p>Words</p>", to=["ann@example.com"])
    message.content_subtype = "html"
    queue_email(message=message, dedupe_key="one", reason="order", kind=MessageKind.TRANSACTIONAL)
    send_due()
    assert (mail.outbox[0].body, mail.outbox[0].alternatives[0][0]) == ("Words", "<p>Words</p>")


def attached() -> EmailMultiAlternatives:
    message = letter()
    message.attach("bill.txt", "10 EUR", "text/plain")
    return message


def with_calendar() -> EmailMultiAlternatives:
    message = letter()
    message.attach_alternative("BEGIN:VCALENDAR", "text/calendar")
    return message


@pytest.mark.parametrize(
    "make",
    [
        pytest.param(attached, id="attachment"),
        pytest.param(with_calendar, id="another alternative"),
        pytest.param(lambda: letter(cc=["bob@example.com"]), id="cc"),
        pytest.param(lambda: letter(bcc=["bob@example.com"]), id="bcc"),
        pytest.param(lambda: letter(to=[]), id="nobody"),
        pytest.param(lambda: letter(to=["a@example.com", "b@example.com"]), id="two"),
        pytest.param(lambda: letter(subject="Hi\nBcc: bob@example.com"), id="subject of two lines"),
        pytest.param(lambda: letter(headers={"X-A": "1\r\nBcc: bob@example.com"}), id="header of two lines"),
    ],
)
def test_what_a_row_cannot_keep(make: Any) -> None:
    """EM-8: said at once, to whoever queues it."""
    with pytest.raises(ValueError, match="mail"):
        queue_email(message=make(), dedupe_key="one", reason="order", kind=MessageKind.TRANSACTIONAL)
    assert not Message.objects.exists()


# Stopping and starting again


def test_stopped_before_it_is_sent(states: Any) -> None:
    """EM-6: planned mail is stopped; sent mail is not called back."""
    for name in ("planned", "claimed", "attempting", "sent", "failed"):
        message = write(name)
        Message.objects.filter(pk=message and message.pk).update(state=name)
    assert stop(messages=Message.objects.all(), why=WhyNot.LEFT) == 2
    assert states() == {
        "planned": "skipped",
        "claimed": "skipped",
        "attempting": "attempting",
        "sent": "sent",
        "failed": "failed",
    }
    assert set(Message.objects.filter(state="skipped").values_list("why_not", "worker", "lease_until")) == {
        ("left", "", None)
    }
    assert stop(messages=Message.objects.all(), why=WhyNot.LEFT) == 0


@pytest.mark.parametrize(
    ("state", "is_possible"),
    [
        ("planned", False),
        ("claimed", False),
        ("attempting", False),
        ("sent", False),
        ("skipped", True),
        ("failed", True),
    ],
)
def test_what_can_be_sent_again(state: str, is_possible: bool, django_capture_on_commit_callbacks: Any) -> None:
    """EM-9: what failed or was not sent, with fresh attempts; never what is on its way or has arrived."""
    message = write()
    assert message is not None
    now = timezone.now()
    Message.objects.update(state=state, attempts=8, uncertain=2, why_not=WhyNot.GAVE_UP, settled_at=now)
    message.refresh_from_db()
    with django_capture_on_commit_callbacks(execute=True):
        assert requeue(message=message) is is_possible
    message.refresh_from_db()
    if is_possible:
        assert (message.state, message.attempts, message.uncertain, message.why_not) == ("sent", 1, 0, "")
    else:
        assert (message.state, message.attempts) == (state, 8)
    assert len(mail.outbox) == is_possible


def test_an_erased_one_is_not_sent_again() -> None:
    message = write()
    assert message is not None
    Message.objects.update(state=State.SKIPPED, email="")
    assert not requeue(message=message)


def test_a_late_one_gets_more_time(planned: Plan) -> None:
    """Whoever asks for it knows that it is late."""
    now = timezone.now()
    message = planned(expires_at=now - timedelta(days=1))
    assert send_due().skipped == 1
    message.refresh_from_db()
    assert message.why_not == WhyNot.TOO_LATE
    assert requeue(message=message, now=now)
    assert message.expires_at == now + timedelta(days=7)
    assert send_due().sent == 1


# For other apps


def test_another_app_sends_by_the_outbox() -> None:
    """Once for each recipient; the same again changes nothing."""
    message = letter(to=["ann@example.com", "Bob <bob@example.com>"])
    for _ in range(2):
        assert send_by_outbox(message=message, key="inquiry-notice:7", language="en-gb")
    assert send_due().sent == 2
    assert send_by_outbox(message=message, key="inquiry-notice:7")
    assert send_due().sent == 0
    assert sorted(each.to[0] for each in mail.outbox) == ["ann@example.com", "bob@example.com"]
    assert set(Message.objects.values_list("reason", flat=True)) == {"inquiry-notice"}


def test_after_a_failure_it_is_sent_again_as_it_is_now() -> None:
    """A repeated call plans the failed row again, with the new text."""
    assert send_by_outbox(message=letter(), key="inquiry-answer:7:1")
    Message.objects.update(state=State.FAILED, why_not=WhyNot.REFUSED, attempts=1)
    assert send_by_outbox(message=letter(body="Better"), key="inquiry-answer:7:1")
    assert send_due().sent == 1
    assert Message.objects.count() == 1
    assert mail.outbox[0].body == "Better"


def test_a_mail_to_nobody_is_not_taken() -> None:
    assert not send_by_outbox(message=letter(to=[]), key="x")


def test_the_outbox_takes_the_answers_of_a_shop(settings: Any, django_capture_on_commit_callbacks: Any) -> None:
    """SEND_MAIL of ``wishlists``: an answer waits in the outbox if the mail server is away, and a new one is a new mail."""
    from wishlists.inquiries import answer, ask, reopen

    settings.THANKYOU_WISHLISTS = {
        **settings.THANKYOU_WISHLISTS,
        "SEND_MAIL": f"{outbox.__name__}.{send_by_outbox.__name__}",
    }
    with django_capture_on_commit_callbacks(execute=True):
        inquiry = ask(email="ann@example.com", text="Which tea?")
    for text in ("Green.", "Or black."):
        with django_capture_on_commit_callbacks(execute=True):
            answer(inquiry=inquiry, text=text, by=None)
        inquiry.refresh_from_db()
        assert inquiry.mailed_at is not None
        reopen(inquiry=inquiry)
    answers = [each.body for each in mail.outbox if each.to == ["ann@example.com"]]
    assert len(answers) == 2
    assert "Or black." in answers[1]
