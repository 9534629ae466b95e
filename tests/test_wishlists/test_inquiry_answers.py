"""Answers to questions: by mail, once, tried again, and only the first one's."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import time_machine
from django.contrib.auth.models import User
from django.core import mail
from django.core.cache import cache
from django.db import connections

from wishlists import inquiries
from wishlists.inquiries import Overtaken, answer, ask, close, reopen, send_answer
from wishlists.models import Inquiry
from wishlists.signals import inquiry_answered

pytestmark = pytest.mark.django_db

NOON = datetime(2026, 11, 5, 12, tzinfo=UTC)


@pytest.fixture(autouse=True)
def clock() -> Iterator[time_machine.Traveller]:
    """Noon, and it stands; nobody has asked anything yet."""
    cache.clear()
    with time_machine.travel(NOON, tick=False) as traveller:
        yield traveller


@pytest.fixture
def commits(django_capture_on_commit_callbacks: Any) -> Any:
    """Run what waits for the commit, as outside of tests."""
    return lambda: django_capture_on_commit_callbacks(execute=True)


def test_the_answer_goes_by_mail(commits: Any) -> None:
    """In the asker's language, as text and HTML, once it is committed."""
    heard = []
    inquiry_answered.connect(hear := lambda **kwargs: heard.append(kwargs["inquiry"].mailed_at))
    ada = User.objects.create_user("ada")
    products = [
        {"product_ref": "tea", "title": "Sencha <b>", "quantity": 2, "url": "https://shop.example/p/tea/"},
        {"product_ref": "pot", "title": "", "option_title": "red", "quantity": 1, "url": ""},
    ]
    inquiry = ask(email="bo@example.com", text="Hi <script>\nthere", products=products, language="en")
    later = NOON + timedelta(hours=1)
    with commits():
        answer(inquiry=inquiry, text="Yes & no: https://shop.example/tea/", by=ada, now=later)
        assert not mail.outbox
    inquiry_answered.disconnect(hear)
    (message,) = mail.outbox
    assert (message.to, message.subject) == (["bo@example.com"], "Your question to Kettle & Fern")
    assert message.body.startswith("Yes & no: https://shop.example/tea/\n")
    for words in ("Hi <script>\nthere", "2 × Sencha <b>\n  https://shop.example/p/tea/", "* pot (red)", "180 days"):
        assert words in message.body
    ((html, kind),) = message.alternatives
    assert kind == "text/html"
    for words in ("Yes &amp; no", "Hi &lt;script&gt;<br>there", "Sencha &lt;b&gt;", 'href="https://shop.example/tea/"'):
        assert words in html
    inquiry = Inquiry.objects.get()
    assert (inquiry.state, inquiry.answered_by, inquiry.answered_at) == ("answered", ada, later)
    assert inquiry.mailed_at == NOON
    assert heard == [NOON]


def test_an_answer_that_could_not_be_sent_is_kept_and_tried_again(settings: Any, commits: Any) -> None:
    """Shown as not sent (``mailed_at`` is empty) until ``send_answer`` comes through; then it goes once."""
    inquiry = ask(email="ada@example.com", text="Hello?")
    backend = settings.EMAIL_BACKEND
    settings.EMAIL_BACKEND = "tests.test_wishlists.test_inquiries.NoServer"
    with commits():
        answer(inquiry=inquiry, text="Yes.", by=None)
    assert not send_answer(inquiry=inquiry)
    assert Inquiry.objects.get().mailed_at is None
    assert Inquiry.objects.get().answer == "Yes."
    settings.EMAIL_BACKEND = backend
    stale = Inquiry.objects.get()
    assert send_answer(inquiry=inquiry)
    assert send_answer(inquiry=stale)
    assert len(mail.outbox) == 1
    assert stale.mailed_at == NOON


def test_only_the_first_answers(commits: Any) -> None:
    """Two people on one question: the second is told, and mails nothing; also after it was closed or deleted."""
    inquiry = ask(email="ada@example.com", text="Hello?")
    second = Inquiry.objects.get()
    with commits():
        answer(inquiry=inquiry, text="Yes.", by=User.objects.create_user("ada"))
        with pytest.raises(Overtaken) as caught:
            answer(inquiry=second, text="No.", by=None)
        assert caught.value.inquiry is not None
        assert caught.value.inquiry.answered_by.username == "ada"
        with pytest.raises(Overtaken):
            close(inquiry=second)
    assert [message.body.partition("\n")[0] for message in mail.outbox] == ["Yes."]
    Inquiry.objects.all().delete()
    with pytest.raises(Overtaken) as caught:
        reopen(inquiry=inquiry)
    assert caught.value.inquiry is None


def test_closing_and_opening_again(commits: Any) -> None:
    """Nobody is told of it. An earlier answer stays until the next, which goes by mail too."""
    inquiry = ask(email="ada@example.com", text="Hello?")
    with pytest.raises(Overtaken):
        reopen(inquiry=inquiry)
    close(inquiry=inquiry, now=NOON)
    assert (Inquiry.objects.get().state, Inquiry.objects.get().answered_at) == ("closed", NOON)
    assert not send_answer(inquiry=inquiry)
    with commits():
        reopen(inquiry=inquiry)
        answer(inquiry=inquiry, text="Yes.", by=None)
    with commits():
        reopen(inquiry=inquiry)
        assert Inquiry.objects.get().answer == "Yes."
        answer(inquiry=inquiry, text="No.", by=None)
    assert [message.body.partition("\n")[0] for message in mail.outbox] == ["Yes.", "No."]


def answer_at_once(inquiry: Inquiry) -> int:
    """Let four people answer at the same moment, and return how many of them did."""
    start, done = threading.Barrier(4), []

    def one(number: int) -> None:
        try:
            start.wait()
            answer(inquiry=Inquiry.objects.get(pk=inquiry.pk), text=f"Answer {number}", by=None)
            done.append(number)
        except Overtaken:
            pass
        finally:
            connections.close_all()

    threads = [threading.Thread(target=one, args=[number]) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return len(done)


@pytest.mark.postgres
@pytest.mark.django_db(transaction=True)
def test_four_people_at_once_send_one_answer() -> None:
    """One mail, with the text that is kept."""
    inquiry = ask(email="ada@example.com", text="Hello?")
    assert answer_at_once(inquiry) == 1
    (message,) = mail.outbox
    assert message.body.startswith(Inquiry.objects.get().answer + "\n")


@pytest.mark.postgres
@pytest.mark.teeth
@pytest.mark.django_db(transaction=True)
def test_without_the_guard_all_would_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    """Teeth: look first, write then."""

    def look_and_write(inquiry: Inquiry, states: Any, to: Any, **changes: Any) -> None:
        current = Inquiry.objects.get(pk=inquiry.pk)
        time.sleep(0.3)
        if current.state not in states:
            raise Overtaken(current)
        Inquiry.objects.filter(pk=inquiry.pk).update(state=to, **changes)

    monkeypatch.setattr(inquiries, "_move", look_and_write)
    assert answer_at_once(ask(email="ada@example.com", text="Hello?")) > 1


@pytest.mark.parametrize("text", ["", " \n", "\x00", "x" * 5001])
def test_an_answer_has_words(text: str) -> None:
    with pytest.raises(ValueError, match="not an answer"):
        answer(inquiry=ask(email="ada@example.com", text="Hello?"), text=text, by=None)
