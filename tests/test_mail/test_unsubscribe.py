"""Unsubscribing: by the button of a mail program and by that of our page; looking at links changes nothing."""

from __future__ import annotations

from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from thankyou_flows.mail import suppression
from thankyou_flows.mail.links import Holder, make_token, preferences_url, unsubscribe_headers, unsubscribe_url
from thankyou_flows.mail.sending import send_due
from thankyou_flows.mail.suppression import leave
from thankyou_flows.models import (
    ConsentReceipt,
    Contact,
    FollowUp,
    Ground,
    MailingList,
    Message,
    MessageKind,
    Subscription,
    Suppression,
    WhyNot,
)

from .outboxes import COMPOSER, Backend
from .people import ANN, ANN_KEY, dump, make_list, make_message, make_order_record, sign_up

State = Message.State
ONE_CLICK = {"List-Unsubscribe": "One-Click"}

pytestmark = pytest.mark.django_db


def path_of(url: str) -> str:
    return url.removeprefix("https://shop.example")


@pytest.fixture
def letters() -> MailingList:
    return make_list("letters", title="Letters from the shop")


@pytest.fixture
def letter(letters: MailingList) -> Message:
    """A newsletter that Ann got."""
    sign_up(letters)
    return make_message(mailing_list=letters, state=State.SENT)


@pytest.fixture
def path(letter: Message) -> str:
    """The address in its List-Unsubscribe."""
    header = unsubscribe_headers(letter)["List-Unsubscribe"]
    return path_of(header.removeprefix("<").removesuffix(">"))


@pytest.fixture
def mail_program() -> Client:
    """A client as RFC 8058 describes it: no cookies, and every check of Django in place."""
    return Client(enforce_csrf_checks=True)


def suppressed() -> dict[str, str]:
    return dict(Suppression.objects.of(ANN_KEY).values_list("scope", "reason"))


def test_looking_changes_nothing(client: Client, letter: Message) -> None:
    """EM-5: every GET and HEAD of every mailed link, ten times, also by scanners: nothing changes and nothing is set."""
    follow_up = make_message(MessageKind.FOLLOW_UP, state=State.SENT)
    before = dump()
    for message in (letter, follow_up):
        for url in (unsubscribe_url(message), preferences_url(message)):
            with CaptureQueriesContext(connection) as queries:
                for _n in range(10):
                    assert client.get(path_of(url)).status_code == 200
                    assert client.head(path_of(url)).status_code == 200
                    assert client.get(path_of(url), headers={"Sec-Purpose": "prefetch"}).status_code == 200
            assert not [query for query in queries if not query["sql"].startswith("SELECT")]
    assert dump() == before


def test_the_page_is_one_button(client: Client, path: str) -> None:
    """EM-5: it names the list, says what happens, has one form without a token, sets no cookie, and is not kept."""
    response = client.get(path)
    html = response.content.decode()
    page = html.partition("<article")[2].partition("</article>")[0]
    assert "Letters from the shop" in page
    assert page.count("<button") == page.count("<form") == 1
    assert "csrfmiddlewaretoken" not in html
    assert not response.cookies
    assert "no-store" in response.headers["Cache-Control"]
    assert response.headers["Referrer-Policy"] == "strict-origin"
    assert ANN not in html


@pytest.mark.parametrize("content_type", ["urlencoded", "multipart"])
def test_one_click(mail_program: Client, letter: Message, path: str, content_type: str) -> None:
    """EM-5: 200 at first and again, without cookies, login or redirect; effective at once, noted once."""
    for _n in range(3):
        if content_type == "urlencoded":
            body, kind = "List-Unsubscribe=One-Click", "application/x-www-form-urlencoded"
            response = mail_program.post(path, body, content_type=kind)
        else:
            response = mail_program.post(path, ONE_CLICK)
        assert response.status_code == 200
        assert not response.cookies
        assert suppressed() == {"list:letters": "left"}
        assert Subscription.objects.get().state == Subscription.State.LEFT
    receipt = ConsentReceipt.objects.get()
    assert (receipt.kind, receipt.method) == ("left", ConsentReceipt.Method.ONE_CLICK)
    letter.refresh_from_db()
    assert letter.left_at is not None


def test_the_pages_button(mail_program: Client, path: str) -> None:
    """EM-5: an empty form, from a browser that nobody vouches for."""
    response = mail_program.post(path, headers={"Sec-Fetch-Site": "cross-site"})
    assert response.status_code == 200
    assert "You are unsubscribed" in response.content.decode()
    assert ConsentReceipt.objects.get().method == ConsentReceipt.Method.LINK


@pytest.mark.parametrize(
    ("body", "content_type"),
    [
        ("%ff%fe=1&&&", "application/x-www-form-urlencoded"),
        ("nonsense", "multipart/form-data; boundary=x"),
        ("nonsense", "multipart/form-data"),
        ("{", "application/json"),
        ("a=1&" * 5000, "application/x-www-form-urlencoded"),
        ("a=" + "x" * 3_000_000, "application/x-www-form-urlencoded"),
        ("a=1", "application/x-www-form-urlencoded; charset=iso-8859-15"),
    ],
    ids=["bytes", "multipart", "no_boundary", "json", "many_fields", "large", "charset"],
)
def test_a_body_that_cannot_be_read(mail_program: Client, path: str, body: str, content_type: str) -> None:
    """EM-5: the address says all that is needed; what else comes keeps nobody on a list."""
    assert mail_program.post(path, body, content_type=content_type).status_code == 200
    assert suppressed() == {"list:letters": "left"}


def test_a_follow_ups_button_is_an_objection(mail_program: Client, letters: MailingList) -> None:
    """EM-6, EM-11: off the follow-ups; the list stays."""
    sign_up(letters)
    message = make_message(MessageKind.FOLLOW_UP, state=State.SENT)
    assert mail_program.post(path_of(unsubscribe_url(message)), ONE_CLICK).status_code == 200
    assert suppressed() == {Suppression.FOLLOW_UPS: "objected"}
    assert Subscription.objects.get().state == Subscription.State.CONFIRMED


@pytest.mark.parametrize("method", ["get", "post", "head"])
def test_a_link_that_is_not_ours(mail_program: Client, path: str, method: str) -> None:
    """EM-5: tampered, cut off, made up: one and the same page, 404, and nothing changes."""
    before = dump()
    token = path.rstrip("/").rpartition("/")[2]
    other = make_token(Holder(email_key="c:" + "0" * 64))
    mixed = other.rpartition(".")[0] + "." + token.rpartition(".")[2]
    answers = set()
    for wrong in (token[:-3], token[1:], token.replace(".", "-", 1), mixed, "x", "x" * 5000):
        response = getattr(mail_program, method)(reverse("thankyou_flows:unsubscribe", args=[wrong]))
        assert response.status_code == 404
        answers.add(response.content)
    assert len(answers) == 1
    assert dump() == before


def test_an_erased_person_can_leave(mail_program: Client, letter: Message, path: str) -> None:
    """EM-6: nothing is kept but the key in the link, and that is what is kept afterwards."""
    Subscription.objects.all().delete()
    Contact.objects.all().delete()
    Message.objects.all().delete()
    assert mail_program.post(path, ONE_CLICK).status_code == 200
    assert suppressed() == {"list:letters": "left"}
    assert not Contact.objects.exists()
    assert ANN not in dump()


@pytest.mark.parametrize("message_is_kept", [True, False], ids=["kept", "purged"])
def test_a_list_that_was_renamed(
    mail_program: Client, letters: MailingList, letter: Message, path: str, message_is_kept: bool
) -> None:
    """EM-5: an old mail still leaves it; where nobody knows any more which list was meant, everything."""
    MailingList.objects.update(slug="news")
    if not message_is_kept:
        Message.objects.all().delete()
    mail_program.post(path, ONE_CLICK)
    assert Subscription.objects.get().state == Subscription.State.LEFT
    assert (Suppression.MARKETING in suppressed()) == (not message_is_kept)


def test_no_limit_stops_it(mail_program: Client, letters: MailingList) -> None:
    """EM-5: forty people behind one address in the network, all at once."""
    for number in range(40):
        email = f"person{number}@example.com"
        sign_up(letters, email)
        message = make_message(mailing_list=letters, email=email, state=State.SENT)
        assert mail_program.post(path_of(unsubscribe_url(message)), ONE_CLICK).status_code == 200
    assert not Subscription.objects.exclude(state=Subscription.State.LEFT).exists()


@pytest.mark.parametrize("method", ["put", "delete", "patch"])
def test_other_methods(mail_program: Client, path: str, method: str) -> None:
    """Nothing else does anything."""
    assert getattr(mail_program, method)(path).status_code == 405
    assert suppressed() == {}


# Between planning and sending


def waiting(letters: MailingList) -> dict[str, Message]:
    return {
        "letter": make_message(mailing_list=letters, composer=COMPOSER),
        "follow-up": make_message(MessageKind.FOLLOW_UP, composer=COMPOSER),
        "receipt": make_message(MessageKind.TRANSACTIONAL, composer=COMPOSER),
    }


def test_unsubscribing_between_planning_and_sending_wins(
    mail_program: Client, letters: MailingList, path: str, use_backend: Any
) -> None:
    """EM-6: the letter is not sent, the receipt still is."""
    backend = Backend()
    use_backend(backend)
    messages = waiting(letters)
    mail_program.post(path, ONE_CLICK)
    send_due()
    for message in messages.values():
        message.refresh_from_db()
    assert (messages["letter"].state, messages["letter"].why_not) == (State.SKIPPED, WhyNot.LEFT)
    assert messages["receipt"].state == State.SENT
    assert len(backend.sent) == 1


def test_it_wins_over_a_worker_that_has_claimed_it(
    mail_program: Client, letters: MailingList, path: str, use_backend: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """EM-6: the worker has asked the gate already, and writes the mail while the person presses the button."""
    from . import outboxes

    backend = Backend()
    use_backend(backend)
    message = make_message(mailing_list=letters, composer=COMPOSER)
    compose = outboxes.compose

    def press_meanwhile(**arguments: Any) -> Any:
        assert mail_program.post(path, ONE_CLICK).status_code == 200
        return compose(**arguments)

    monkeypatch.setattr(outboxes, "compose", press_meanwhile)
    send_due()
    message.refresh_from_db()
    assert (message.state, message.why_not) == (State.SKIPPED, WhyNot.LEFT)
    assert backend.sent == []


@pytest.mark.parametrize("is_customer", [False, True], ids=["stranger", "customer"])
def test_leaving_the_list_that_was_the_ground(
    letters: MailingList, use_backend: Any, monkeypatch: pytest.MonkeyPatch, is_customer: bool
) -> None:
    """EM-6, EM-11: a list that covers follow-ups is left while a worker writes one: what it has read of the person is out
    of date, so the gate is asked anew. A customer may have it on another ground, and that is what the row says.
    """
    from . import outboxes

    backend = Backend()
    use_backend(backend)
    MailingList.objects.update(covers_follow_ups=True)
    sign_up(letters)
    if is_customer:
        make_order_record()
    message = make_message(MessageKind.FOLLOW_UP, composer=COMPOSER)
    compose = outboxes.compose

    def leave_meanwhile(**arguments: Any) -> Any:
        leave(email_key=ANN_KEY, mailing_list=letters)
        return compose(**arguments)

    monkeypatch.setattr(outboxes, "compose", leave_meanwhile)
    send_due()
    message.refresh_from_db()
    if is_customer:
        assert (message.state, message.ground) == (State.SENT, Ground.SOFT_OPT_IN)
    else:
        assert (message.state, message.why_not) == (State.SKIPPED, WhyNot.NO_CONSENT)
    assert len(backend.sent) == is_customer


@pytest.mark.teeth
def test_without_giving_it_back_it_would_be_sent(
    letters: MailingList, use_backend: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The test above has teeth: the worker would go by what it has read before."""
    monkeypatch.setattr(suppression, "_ask_anew", lambda email_key: None)
    with pytest.raises(AssertionError):
        test_leaving_the_list_that_was_the_ground(letters, use_backend, monkeypatch, False)


def sent_link(backend: Backend) -> str:
    """Return the path in the List-Unsubscribe of the mail that was sent last."""
    header = backend.sent[-1].extra_headers["List-Unsubscribe"]
    return path_of(header.removeprefix("<").removesuffix(">"))


@pytest.mark.parametrize("of_message", [True, False], ids=["sign_up_confirmed", "follow_ups_list"])
@pytest.mark.parametrize("is_kept", [True, False], ids=["kept", "purged"])
def test_a_follow_up_that_a_list_has_brought(
    mail_program: Client, letters: MailingList, use_backend: Any, settings: Any, of_message: bool, is_kept: bool
) -> None:
    """EM-5, EM-6: where the consent to a list is the ground, one press leaves the list and the follow-ups."""
    settings.THANKYOU_FLOWS = {**settings.THANKYOU_FLOWS, "MAIL_REST_HOURS": 0}
    backend = Backend()
    use_backend(backend)
    row = sign_up(letters)
    follow_up = FollowUp.objects.create(
        title="Welcome", trigger="sign_up_confirmed", mailing_list=None if of_message else letters
    )
    make_message(
        MessageKind.FOLLOW_UP,
        composer=COMPOSER,
        reason="sign_up_confirmed",
        ref=str(row.pk),
        follow_up=follow_up,
        mailing_list=letters if of_message else None,
    )
    assert send_due().sent == 1
    path = sent_link(backend)
    if not is_kept:
        Message.objects.all().delete()

    page = " ".join(mail_program.get(path).content.decode().split())
    assert "<strong>Letters from the shop</strong>, and also tips, reminders and offers" in page
    response = mail_program.post(path, ONE_CLICK)
    page = " ".join(response.content.decode().split())
    assert "<strong>Letters from the shop</strong> any more, nor tips, reminders and offers" in page
    assert Subscription.objects.get().state == Subscription.State.LEFT
    assert ConsentReceipt.objects.get().method == ConsentReceipt.Method.ONE_CLICK
    assert suppressed() == {"list:letters": "left", Suppression.FOLLOW_UPS: "objected"}

    newsletter = make_message(mailing_list=letters, composer=COMPOSER)
    tips = make_message(MessageKind.FOLLOW_UP, composer=COMPOSER)
    send_due()
    for message, why in ((newsletter, WhyNot.LEFT), (tips, WhyNot.OBJECTED)):
        message.refresh_from_db()
        assert (message.state, message.why_not) == (State.SKIPPED, why)
    assert len(backend.sent) == 1


def test_a_follow_up_on_another_ground_leaves_the_list_alone(
    mail_program: Client, letters: MailingList, use_backend: Any
) -> None:
    """EM-11: what an order allowed is an objection to follow-ups, though a list stands beside it."""
    backend = Backend()
    use_backend(backend)
    make_order_record()
    sign_up(letters, state=Subscription.State.PENDING)
    make_message(MessageKind.FOLLOW_UP, composer=COMPOSER, mailing_list=letters)
    assert send_due().sent == 1
    mail_program.post(sent_link(backend), ONE_CLICK)
    assert suppressed() == {Suppression.FOLLOW_UPS: "objected"}
    assert Subscription.objects.get().state == Subscription.State.PENDING


def test_an_objection_stops_what_the_order_allowed(mail_program: Client, use_backend: Any) -> None:
    """EM-11: the soft opt-in ends with the first press."""
    backend = Backend()
    use_backend(backend)
    make_order_record()
    sent = make_message(MessageKind.FOLLOW_UP, state=State.SENT)
    mail_program.post(path_of(unsubscribe_url(sent)), ONE_CLICK)
    later = make_message(MessageKind.FOLLOW_UP, composer=COMPOSER, ref="T-1")
    send_due()
    later.refresh_from_db()
    assert (later.state, later.why_not) == (State.SKIPPED, WhyNot.OBJECTED)
    assert backend.sent == []
