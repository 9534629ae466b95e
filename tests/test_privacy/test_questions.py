"""What a customer wrote in a question stands in one place, also where the shop's mails go by the outbox (EM-13)."""

from __future__ import annotations

import json
from typing import Any

import pytest
from django.core import mail

from tests.test_privacy.world import BY_OUTBOX, EMAIL, NOW, tables_with
from thankyou_flows.mail import outbox
from thankyou_flows.mail.composing import DoNotSend, write
from thankyou_flows.models import Message, WhyNot
from thankyou_flows.privacy.erasing import erase_person
from thankyou_flows.privacy.exporting import export_person
from wishlists.inquiries import answer, ask, reopen
from wishlists.models import Inquiry

pytestmark = pytest.mark.django_db

NAME, QUESTION, ANSWER = "Zqname", "Is zqquestion a green tea?", "Zqanswer is black."
WORDS = ("zqname", "zqquestion", "zqanswer")
QUESTIONS = Inquiry._meta.db_table


@pytest.fixture(autouse=True)
def _by_outbox(settings: Any) -> None:
    settings.THANKYOU_WISHLISTS = {**settings.THANKYOU_WISHLISTS, **BY_OUTBOX}


@pytest.fixture
def asked(django_capture_on_commit_callbacks: Any) -> Inquiry:
    """A question that was asked and answered; with callbacks of the commit, so that the mails are sent."""
    with django_capture_on_commit_callbacks(execute=True):
        inquiry = ask(email=EMAIL, name=NAME, text=QUESTION)
    with django_capture_on_commit_callbacks(execute=True):
        answer(inquiry=inquiry, text=ANSWER, by=None)
    return inquiry


@pytest.fixture
def waiting(monkeypatch: pytest.MonkeyPatch, django_capture_on_commit_callbacks: Any) -> Inquiry:
    """The same, and no worker has come yet."""
    monkeypatch.setattr(outbox, "wake", lambda **facts: None)
    with django_capture_on_commit_callbacks(execute=True):
        inquiry = ask(email=EMAIL, name=NAME, text=QUESTION)
    with django_capture_on_commit_callbacks(execute=True):
        answer(inquiry=inquiry, text=ANSWER, by=None)
    return inquiry


def test_the_outbox_holds_none_of_it(asked: Inquiry) -> None:
    """The mails say it; the rows, sent or not, only say which question it is."""
    notice, reply = mail.outbox
    assert notice.to == ["shop@shop.example"] and QUESTION in notice.body and NAME in notice.body
    assert notice.extra_headers["Auto-Submitted"] == "auto-generated"
    assert EMAIL not in notice.body
    assert reply.to == [EMAIL] and ANSWER in reply.body and ANSWER in reply.alternatives[0][0]
    assert [tables_with(word) for word in WORDS] == [{QUESTIONS}] * 3
    rows = Message.objects.order_by("pk").values_list("reason", "ref", "state", "subject")
    assert list(rows) == [
        ("inquiry-notice", str(asked.pk), "sent", ""),
        ("inquiry-answer", str(asked.pk), "sent", ""),
    ]


def test_it_is_exported_once(waiting: Inquiry) -> None:
    """GDPR 15: question and answer, once each; and not who of the shop was told."""
    text = json.dumps(export_person(email=EMAIL, now=NOW)).lower()
    assert [text.count(word) for word in WORDS] == [1, 1, 1]
    assert "shop@shop.example" not in text


def test_after_an_erasure_nobody_reads_it_any_more(waiting: Inquiry) -> None:
    """GDPR 17: also the word to the shop's people that waits in the outbox is not sent."""
    [notice, _reply] = Message.objects.order_by("pk")
    assert QUESTION in write(notice, now=NOW).email.body
    erase_person(email=EMAIL, now=NOW)
    assert [tables_with(word) for word in (*WORDS, EMAIL)] == [set()] * 4
    with pytest.raises(DoNotSend) as refusal:
        write(notice, now=NOW)
    assert refusal.value.why == WhyNot.ERASED


def test_an_answer_that_was_overtaken_is_not_sent(waiting: Inquiry, django_capture_on_commit_callbacks: Any) -> None:
    """One mail for each answer, with the words of that answer."""
    reopen(inquiry=waiting)
    with django_capture_on_commit_callbacks(execute=True):
        answer(inquiry=waiting, text="Another zqanswer.", by=None)
    first, second = Message.objects.filter(reason="inquiry-answer").order_by("pk")
    with pytest.raises(DoNotSend) as refusal:
        write(first, now=NOW)
    assert refusal.value.why == WhyNot.CHANGED
    assert "Another zqanswer." in write(second, now=NOW).email.body
