"""A real SMTP server that answers well, later, never, or not at all: mail is late, not lost, and the queue goes on.

Each way of failing is a recipient's name, so that one bad message stands between good ones in the same batch.
"""

from __future__ import annotations

import asyncio
import smtplib
import socket
from collections.abc import Iterator
from datetime import timedelta
from time import monotonic
from typing import Any

import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP
from django.core.mail.backends.smtp import EmailBackend
from django.utils import timezone

from coupons.holders import customer_key
from tests.test_mail.outboxes import COMPOSER, Backend, Plan
from thankyou_flows.mail import connections, errors, tasks
from thankyou_flows.mail.outbox import queue
from thankyou_flows.mail.sending import Report, send_due
from thankyou_flows.models import Message, MessageKind, Suppression, WhyNot

pytestmark = pytest.mark.django_db

#: How long our side waits for a word.
TIMEOUT = 0.3
AFTER_THE_LEASE = timedelta(days=1)


class Mailbox:
    """The server's behaviour, by the first word of the recipient's address, and what it has taken."""

    def __init__(self) -> None:
        self.taken: list[str] = []
        self.asked: list[str] = []
        self.sessions = 0
        #: Answers to RCPT and, behind the text, to DATA.
        self.rcpt: dict[str, str] = {}
        self.data: dict[str, str] = {}
        self.mail_from = "250 OK"

    async def handle_EHLO(  # noqa: N802
        self, server: Any, session: Any, envelope: Any, hostname: str, responses: list[str]
    ) -> list[str]:
        self.sessions += 1
        session.host_name = hostname
        return responses

    async def handle_MAIL(  # noqa: N802
        self, server: Any, session: Any, envelope: Any, address: str, options: Any
    ) -> str:
        if self.mail_from.startswith("250"):
            envelope.mail_from = address
        return self.mail_from

    async def handle_RCPT(  # noqa: N802
        self, server: Any, session: Any, envelope: Any, address: str, options: Any
    ) -> str:
        name = address.partition("@")[0]
        self.asked.append(name)
        answer = await self._behave(server, self.rcpt.get(name, "250 OK"))
        if answer.startswith("250"):
            envelope.rcpt_tos.append(address)
        return answer

    async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:  # noqa: N802
        name = envelope.rcpt_tos[0].partition("@")[0]
        answer = self.data.get(name, "250 OK")
        if not answer.startswith(("4", "5")):
            self.taken.append(name)
        return await self._behave(server, answer)

    async def _behave(self, server: Any, answer: str) -> str:
        if answer == "drop":
            server.transport.abort()
        elif answer == "hang":
            await asyncio.sleep(TIMEOUT * 4)
        return answer if answer[0].isdigit() else "250 OK"


class Server(SMTP):
    """Drops the line at the word DATA, before any text, if told to."""

    async def smtp_DATA(self, arg: str) -> None:  # noqa: N802
        if self.envelope.rcpt_tos[0].startswith("early"):
            self.transport.abort()
            return
        await super().smtp_DATA(arg)


class Post(Controller):
    def factory(self) -> Server:
        return Server(self.handler, **self.SMTP_kwargs)


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[Mailbox]:
    """A mail server of its own, and the project's backend on it."""
    mailbox = Mailbox()
    post = Post(mailbox, hostname="127.0.0.1", port=free_port())
    post.start()
    mailbox.sessions = 0
    use(monkeypatch, post.port)
    try:
        yield mailbox
    finally:
        post.stop()


def use(monkeypatch: pytest.MonkeyPatch, port: int) -> None:
    monkeypatch.setattr(
        connections, "get_connection", lambda: EmailBackend(host="127.0.0.1", port=port, timeout=TIMEOUT)
    )


def row(name: str) -> Message:
    return Message.objects.get(dedupe_key=name)


def plan_around(planned: Plan, name: str) -> None:
    """Write a message between two good ones."""
    for each in ("before", name, "after"):
        planned(each)


def test_a_good_day(planned: Plan, server: Mailbox) -> None:
    """250: all on one connection, each once."""
    for number in range(5):
        planned(f"m{number}")
    assert send_due() == Report(sent=5)
    assert server.taken == [f"m{number}" for number in range(5)]
    assert server.sessions == 1


@pytest.mark.parametrize("place", ["rcpt", "data"])
def test_come_back_later(planned: Plan, server: Mailbox, place: str) -> None:
    """451: the others go out at once, this one when the server wants it; nobody is suppressed."""
    plan_around(planned, "busy")
    getattr(server, place)["busy"] = "451 4.3.0 Come back later"
    assert send_due() == Report(sent=2, retried=1)
    assert server.taken == ["before", "after"]
    late = row("busy")
    assert (late.state, late.attempts, late.uncertain) == ("planned", 1, 0)
    assert timedelta(minutes=3) < late.due_at - timezone.now() < timedelta(minutes=5)
    assert "451" in late.last_error
    assert send_due(now=late.due_at - timedelta(seconds=1)) == Report()
    getattr(server, place).clear()
    assert send_due(now=late.due_at) == Report(sent=1)
    assert server.taken == ["before", "after", "busy"]
    assert (row("busy").last_error, row("busy").attempts) == ("", 2)
    assert not Suppression.objects.exists()


@pytest.mark.parametrize("place", ["rcpt", "data"])
@pytest.mark.parametrize("code", ["550 5.1.1", "553 5.1.3", "550 5.2.1"])
def test_no_such_address(planned: Plan, server: Mailbox, place: str, code: str) -> None:
    """550: no further attempt, and no advertising to this address any more (EM-6). Its neighbours go out."""
    plan_around(planned, "gone")
    getattr(server, place)["gone"] = f"{code} No such user"
    assert send_due() == Report(sent=2, failed=1)
    failed = row("gone")
    assert (failed.state, failed.why_not, failed.attempts) == ("failed", WhyNot.REFUSED, 1)
    assert "gone@example.com" not in failed.last_error
    assert send_due(now=timezone.now() + AFTER_THE_LEASE) == Report()
    suppression = Suppression.objects.get()
    assert (suppression.email_key, suppression.scope) == (customer_key("gone@example.com"), Suppression.MARKETING)
    assert (suppression.reason, suppression.message_key) == ("bounced", failed.key)


def test_a_plain_550(planned: Plan, server: Mailbox) -> None:
    """Servers that say no more than the number mean the address, at RCPT."""
    plan_around(planned, "gone")
    server.rcpt["gone"] = "550 no"
    assert send_due() == Report(sent=2, failed=1)
    assert Suppression.objects.get().email_key == customer_key("gone@example.com")


@pytest.mark.parametrize("answer", ["550 5.7.1 Relaying denied", "554 5.7.1 Your server is on a blocklist", "552 Full"])
def test_our_own_fault(planned: Plan, server: Mailbox, answer: str) -> None:
    """A policy is about us, a full mailbox is about today: nobody loses a mail or is suppressed for it."""
    plan_around(planned, "fine")
    server.rcpt["fine"] = answer
    assert send_due() == Report(sent=2, retried=1)
    assert not Suppression.objects.exists()


def test_a_text_that_is_refused(planned: Plan, server: Mailbox) -> None:
    """554 behind the text is about the text: not again, but the address is as good as before."""
    plan_around(planned, "fine")
    server.data["fine"] = "554 Transaction failed"
    assert send_due() == Report(sent=2, failed=1)
    assert row("fine").why_not == WhyNot.REFUSED
    assert not Suppression.objects.exists()


@pytest.mark.parametrize("answer", ["550 5.7.1 Sender refused", "530 Authentication required", "451 Later"])
def test_the_sender_is_refused(planned: Plan, server: Mailbox, answer: str) -> None:
    """A shop's settings are wrong: all of it is late, nobody is suppressed."""
    plan_around(planned, "fine")
    server.mail_from = answer
    assert send_due() == Report(retried=3)
    server.mail_from = "250 OK"
    assert send_due(now=timezone.now() + timedelta(minutes=6)) == Report(sent=3)
    assert not Suppression.objects.exists()


def test_the_login_is_refused(planned: Plan, server: Mailbox, monkeypatch: pytest.MonkeyPatch) -> None:
    """A password has changed: soft, and the run ends after three, so that the others keep their attempts."""

    def refuse(self: Any, *_: Any, **__: Any) -> None:
        raise smtplib.SMTPAuthenticationError(535, b"5.7.8 Bad credentials")

    for number in range(5):
        planned(f"m{number}")
    with monkeypatch.context() as patch:
        patch.setattr(smtplib.SMTP, "login", refuse)
        patch.setattr(EmailBackend, "open", lambda self: smtplib.SMTP.login(self))  # type: ignore[arg-type]
        assert send_due() == Report(retried=3)
    assert send_due() == Report(sent=2)
    assert not Suppression.objects.exists()


@pytest.mark.parametrize("name", ["dropped", "early"], ids=["at RCPT", "at DATA"])
def test_dropped_before_the_text(planned: Plan, server: Mailbox, name: str) -> None:
    """The mail cannot have gone out, so it is tried as often as needed; the next ones get a new connection."""
    plan_around(planned, name)
    server.rcpt["dropped"] = "drop"
    assert send_due() == Report(sent=2, retried=1)
    assert server.taken == ["before", "after"]
    assert (row(name).state, row(name).uncertain) == ("planned", 0)
    # Once on the connection that was in use, once more on a new one.
    assert row(name).attempts == 1
    assert server.sessions == 3


@pytest.mark.parametrize("how", ["drop", "hang"])
def test_silent_behind_the_text(planned: Plan, server: Mailbox, how: str) -> None:
    """EM-10: nobody knows whether it went out. Tried once more, and never a third time; the others go out."""
    plan_around(planned, "unsure")
    server.data["unsure"] = how
    assert send_due() == Report(sent=2, retried=1)
    assert (row("unsure").state, row("unsure").uncertain) == ("planned", 1)
    assert send_due(now=row("unsure").due_at) == Report(failed=1)
    assert (row("unsure").state, row("unsure").why_not) == ("failed", WhyNot.UNCERTAIN)
    assert send_due(now=timezone.now() + AFTER_THE_LEASE) == Report()
    assert server.taken == ["before", "unsure", "after", "unsure"]


def test_silent_before_the_text(planned: Plan, server: Mailbox) -> None:
    """A server that hangs costs the others no more than our patience."""
    plan_around(planned, "slow")
    server.rcpt["slow"] = "hang"
    assert send_due() == Report(sent=2, retried=1)
    assert (row("slow").state, row("slow").uncertain) == ("planned", 0)


def test_a_server_that_wants_a_break(planned: Plan, server: Mailbox) -> None:
    """421 after a number of mails: the next one goes over a new connection, at once."""
    plan_around(planned, "fine")
    answers = iter(["421 Too many on this connection"])

    async def once(*_: Any) -> str:
        return next(answers, "250 OK")

    server._behave = once  # type: ignore[method-assign]
    planned("last")
    assert send_due().sent >= 3
    assert send_due(now=timezone.now() + timedelta(minutes=6)).failed == 0
    assert sorted(server.taken) == ["after", "before", "fine", "last"]


def test_no_server_at_all(planned: Plan, monkeypatch: pytest.MonkeyPatch) -> None:
    """OP-4: the mail server is down. The run ends soon, and all mail goes out when it is back."""
    for number in range(5):
        planned(f"m{number}")
    with monkeypatch.context() as patch:
        use(patch, free_port())
        assert send_due() == Report(retried=3)
    assert Message.objects.filter(state="planned").count() == 5
    mailbox = Mailbox()
    post = Post(mailbox, hostname="127.0.0.1", port=free_port())
    post.start()
    try:
        use(monkeypatch, post.port)
        assert send_due(now=timezone.now() + timedelta(minutes=6)) == Report(sent=5)
    finally:
        post.stop()
    assert sorted(mailbox.taken) == [f"m{number}" for number in range(5)]


def test_a_backend_without_a_timeout_gets_one(planned: Plan, server: Mailbox, monkeypatch: pytest.MonkeyPatch) -> None:
    """EMAIL_TIMEOUT is not set by default: one silent server would hold a worker for ever."""
    seen = []
    make = connections.get_connection

    def without_timeout() -> EmailBackend:
        backend = make()
        backend.timeout = None
        seen.append(backend)
        return backend

    monkeypatch.setattr(connections, "get_connection", without_timeout)
    planned()
    assert send_due() == Report(sent=1)
    assert [backend.timeout for backend in seen] == [connections.TIMEOUT]


def test_a_silent_server_does_not_hold_up_a_request(
    monkeypatch: pytest.MonkeyPatch, django_capture_on_commit_callbacks: Any
) -> None:
    """OP-4: without a worker the mail goes out with the request. A server that takes the call and says nothing costs the
    customer little time and the shop no mail: it goes later.
    """
    monkeypatch.setattr(tasks, "SHORT_TIMEOUT", TIMEOUT / 2)
    made = []

    def slow() -> EmailBackend:
        made.append(EmailBackend(host="127.0.0.1", port=silent.getsockname()[1], timeout=60))
        return made[-1]

    with socket.create_server(("127.0.0.1", 0)) as silent:
        monkeypatch.setattr(connections, "get_connection", slow)
        start = monotonic()
        with django_capture_on_commit_callbacks(execute=True):
            for name in ("one", "two"):
                queue(
                    dedupe_key=name,
                    email=f"{name}@example.com",
                    composer=COMPOSER,
                    reason="test",
                    kind=MessageKind.TRANSACTIONAL,
                )
        assert monotonic() - start < 5
    assert [backend.connection for backend in made] == [None]
    assert (row("one").state, row("one").attempts, row("one").uncertain) == ("planned", 1, 0)
    assert (row("two").state, row("two").attempts) == ("planned", 0)
    backend = Backend()
    monkeypatch.setattr(connections, "get_connection", lambda: backend)
    assert send_due(now=row("one").due_at).sent == 2


@pytest.mark.parametrize(("own", "used"), [(None, 3), (60, 3), (1, 1), ((5, 60), 3)])
def test_the_shorter_timeout_counts(own: Any, used: Any) -> None:
    """A backend may be in a hurry of its own; Anymail's may be told two times."""
    backend = EmailBackend(timeout=own)
    connections.Line(timeout=connections.SHORT_TIMEOUT)._limit(backend)
    assert backend.timeout == used


@pytest.mark.teeth
def test_without_telling_them_apart_there_would_be_many(
    planned: Plan, server: Mailbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    """EM-10: if a line that drops behind the text counted as not sent, the customer would get one mail after the other."""
    monkeypatch.setattr(errors, "_text_was_sent", lambda error: False)
    planned("unsure")
    server.data["unsure"] = "drop"
    now = timezone.now()
    for _ in range(4):
        send_due(now=now)
        now = row("unsure").due_at
    assert len(server.taken) > 2


# Anymail, by what its exceptions carry


def anymail_error(name: str, **arguments: Any) -> Exception:
    exceptions = pytest.importorskip("anymail.exceptions")
    status = arguments.pop("status", None)
    error = getattr(exceptions, name)("no", **arguments)
    error.status_code = status
    # What the answer was is not looked at.
    error.describe_response = lambda: None
    return error


@pytest.mark.parametrize(
    ("name", "status", "meaning"),
    [
        ("AnymailRequestsAPIError", 429, "soft"),
        ("AnymailRequestsAPIError", 500, "soft"),
        ("AnymailRequestsAPIError", 503, "soft"),
        ("AnymailRequestsAPIError", 401, "soft"),
        ("AnymailRequestsAPIError", 400, "unsendable"),
        ("AnymailRequestsAPIError", 422, "unsendable"),
        ("AnymailRequestsAPIError", None, "soft"),
        ("AnymailAPIError", None, "soft"),
        ("AnymailRecipientsRefused", 200, "hard"),
        ("AnymailInvalidAddress", None, "unsendable"),
        ("AnymailSerializationError", None, "unsendable"),
        ("AnymailConfigurationError", None, "soft"),
    ],
)
def test_what_a_provider_says(name: str, status: int | None, meaning: str) -> None:
    """EM-9, EM-10: too many and not now are soft; a bad key is ours; a bad mail is not sent again."""
    assert errors.judge_sending(anymail_error(name, status=status)).meaning == meaning


@pytest.mark.parametrize(
    ("name", "meaning"),
    [
        ("ConnectTimeout", "soft"),
        ("ConnectionError", "soft"),
        ("ReadTimeout", "uncertain"),
        ("broken off", "uncertain"),
    ],
)
def test_a_provider_that_does_not_answer(name: str, meaning: str) -> None:
    """EM-10: whether the call has reached it makes the difference."""
    requests = pytest.importorskip("requests")
    exceptions = pytest.importorskip("anymail.exceptions")
    from urllib3.exceptions import ProtocolError

    inside = (ProtocolError("Connection aborted."),) if name == "broken off" else ("no route",)
    cause = getattr(requests, "ConnectionError" if name == "broken off" else name)(*inside)
    kind = type("AnymailRequestsAPIError", (exceptions.AnymailRequestsAPIError, type(cause)), {})
    error = kind("Error posting")
    error.__cause__ = cause
    assert errors.judge_sending(error).meaning == meaning


@pytest.mark.parametrize(
    ("status", "report"), [("sent", Report(sent=1)), ("rejected", Report(failed=1)), ("failed", Report(retried=1))]
)
def test_what_a_provider_says_of_the_recipient(planned: Plan, use_backend: Any, status: str, report: Report) -> None:
    """An address that the provider does not send to is as good as bounced; its id is kept of what it took."""
    from tests.test_mail.outboxes import Backend

    class Status:
        message_id = "provider-1"

        def __init__(self) -> None:
            self.status = {status}

    def answer(email: Any) -> None:
        email.anymail_status = Status()

    use_backend(Backend(answer))
    planned()
    assert send_due() == report
    assert Suppression.objects.exists() is (status == "rejected")
    assert row("one").provider_id == ("provider-1" if status == "sent" else "")
