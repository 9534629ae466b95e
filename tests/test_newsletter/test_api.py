"""Signing up from a shop's own front end."""

from __future__ import annotations

from typing import Any

import pytest
from django.core import mail
from django.test import Client
from django.urls import reverse

from coupons.holders import customer_key
from tests.test_flows.newsletter_tools import link_in
from tests.test_flows.test_newsletter_block import WORDS, Form
from thankyou_flows.mail import outbox
from thankyou_flows.models import ConsentReceipt, MailingList, Message, Subscription, Suppression

from .tools import post

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize("content_type", ["application/json", "form"])
def test_the_journey(
    client: Client, recipes: MailingList, django_capture_on_commit_callbacks: Any, content_type: str
) -> None:
    """EM-1, EM-4: from JSON or a form to the list; what the front end says it showed is kept."""
    data = {"email": "Ann@example.com", "list": "recipes", "wording": "Yes,\nrecipes.", "path": "/soup/"}
    kind = {"content_type": content_type} if content_type != "form" else {}
    with django_capture_on_commit_callbacks(execute=True):
        response = client.post(reverse("thankyou_flows:subscribe"), data, **kind)
    assert (response.status_code, response.json()) == (200, {"state": "sent"})
    assert "no-store" in response["Cache-Control"]
    receipt = ConsentReceipt.objects.get()
    assert receipt.wording.split() == ["Yes,", "recipes."]
    assert (receipt.method, receipt.source, receipt.path) == ("api", "api", "/soup/")
    assert receipt.purpose == "Recipes: What to cook with it. Once a month."
    client.post(link_in(mail.outbox[0]))
    assert Subscription.objects.get().state == Subscription.State.CONFIRMED


def know_six_kinds(ask: Any, clock: Any) -> dict[str, str]:
    """Make an address of each kind, and return what becomes of its mail."""
    for name in ("pending", "confirmed", "left"):
        ask(f"{name}@example.com")
    for name in ("confirmed", "left"):
        Subscription.objects.filter(email=f"{name}@example.com").update(state=name)
    for name in ("bounced", "complained"):
        Suppression.objects.create(email_key=customer_key(f"{name}@example.com"), scope="marketing", reason=name)
    clock.shift(240)
    mail.outbox.clear()
    Message.objects.all().delete()
    return {
        "new@example.com": "",
        "pending@example.com": "",
        "confirmed@example.com": "done",
        "left@example.com": "",
        "bounced@example.com": "bounced",
        "complained@example.com": "complained",
        "nobody@no-such-domain.invalid": "",
    }


def test_all_kinds_of_addresses_get_one_answer(
    client: Client, ask: Any, clock: Any, django_capture_on_commit_callbacks: Any
) -> None:
    """EM-2: new, pending, confirmed, left, suppressed, and a domain that cannot exist: byte by byte the same."""
    kinds = know_six_kinds(ask, clock)
    answers = set()
    for address in kinds:
        with django_capture_on_commit_callbacks(execute=True):
            response = post(client, address)
        answers.add((response.status_code, response.content, tuple(sorted(response.headers.items()))))
    assert len(answers) == 1
    assert {message.email: message.why_not for message in Message.objects.all()} == kinds
    assert {message.to[0] for message in mail.outbox} == {address for address, why in kinds.items() if not why}


def test_the_block_gives_one_answer_too(
    client: Client, make_page: Any, settings: Any, ask: Any, clock: Any, django_capture_on_commit_callbacks: Any
) -> None:
    """EM-2: the same seven through the form on a page."""
    settings.THANKYOU_FLOWS = {**settings.THANKYOU_FLOWS, "MIN_FILL_SECONDS": 0}
    form = Form(client, make_page(body=[("newsletter", WORDS)]))
    kinds = know_six_kinds(ask, clock)
    html, answers, pages = form.show(), set(), set()
    for address in kinds:
        with django_capture_on_commit_callbacks(execute=True):
            response = form.send(address, html=html)
        answers.add((response.status_code, response.content, tuple(sorted(response.headers.items()))))
        pages.add(form.show(response["Location"]))
    assert (len(answers), len(pages)) == (1, 1)
    assert {message.email: message.why_not for message in Message.objects.all()} == kinds


def test_the_same_work_for_everybody(client: Client, ask: Any, clock: Any, monkeypatch: Any) -> None:
    """EM-2: the request writes the same rows for who is on the list and for who is not; the outbox finds out."""
    from django.db import connection
    from django.test.utils import CaptureQueriesContext

    kinds = know_six_kinds(ask, clock)
    kinds.pop("new@example.com")
    counts = set()
    for address in kinds:
        with CaptureQueriesContext(connection) as queries:
            # Without the commit: nothing is sent here.
            post(client, address)
        counts.add(len([q for q in queries if q["sql"].split()[0] in {"INSERT", "UPDATE"}]) - _is_new(address))
    assert len(counts) == 1


def _is_new(address: str) -> int:
    """Return how many rows of a first sign-up and a first mail there are besides."""
    return {"pending": 0, "confirmed": 0, "left": 0}.get(address.partition("@")[0], 2)


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"email": ""}, "email"),
        ({"email": "ann@"}, "email"),
        ({"email": "ann@example.com\r\nBcc: all@example.com"}, "email"),
        ({"email": "a" * 300 + "@example.com"}, "email"),
        ({"wording": ""}, "wording"),
        ({"wording": "x" * 1001}, "wording"),
        ({"list": "unknown"}, "list"),
        ({"list": "closed"}, "list"),
        ({"list": "x" * 60}, "list"),
        ({"path": "https://evil.example/"}, "path"),
        ({"homepage": "http://spam.example"}, "homepage"),
        ({"wording": "nul \x00"}, "wording"),
    ],
    ids=lambda value: "+".join(value) if isinstance(value, dict) else None,
)
def test_what_is_wrong_is_named(client: Client, changes: dict[str, str], field: str) -> None:
    """EM-3, EM-8: 400 with the field, and nothing is kept."""
    MailingList.objects.create(slug="closed", title="Closed", is_open=False)
    response = post(client, **changes)
    assert response.status_code == 400
    data = response.json()
    assert data["error"] == "invalid"
    assert list(data["errors"]) == [field]
    assert data["message"]
    assert not Subscription.objects.exists()


@pytest.mark.parametrize(
    "body",
    ["", "{", "[]", '"text"', '{"email": 1}', '{"email": {}}', "[" * 100_000],
    ids=lambda body: body[:5] or "empty",
)
def test_what_is_no_json(client: Client, body: str) -> None:
    response = client.post(reverse("thankyou_flows:subscribe"), body, content_type="application/json")
    assert (response.status_code, response.json()["error"]) == (400, "invalid")


def test_only_posts(client: Client) -> None:
    """EM-1: looking at it changes nothing."""
    for method in (client.get, client.head, client.put, client.delete):
        assert method(reverse("thankyou_flows:subscribe")).status_code == 405
    assert not MailingList.objects.exists()


def test_another_site_cannot_ask() -> None:
    """EM-3: a POST comes from a page of this site, or brings Django's token."""
    browser = Client(enforce_csrf_checks=True)
    assert post(browser, headers={"Sec-Fetch-Site": "cross-site"}).status_code == 403
    assert post(browser, headers={"Sec-Fetch-Site": "same-origin"}).status_code == 200


def test_too_many_from_one_place(client: Client, clock: Any) -> None:
    """EM-3: 20 a minute, over all paths together."""
    for n in range(20):
        assert post(client, f"person-{n}@example.com").status_code == 200
    response = post(client, "person-20@example.com")
    assert (response.status_code, response.json()["error"]) == (429, "too_many")
    assert int(response["Retry-After"]) > 0
    assert Subscription.objects.count() == 20


def test_a_database_that_takes_nothing(client: Client, monkeypatch: Any, caplog: Any) -> None:
    """OP-4: "try again", not a page of errors; and all or nothing."""
    from django.db import OperationalError

    def fail(**kwargs: Any) -> None:
        raise OperationalError("read-only")

    monkeypatch.setattr(outbox, "queue", fail)
    response = post(client)
    assert (response.status_code, response.json()["error"]) == (503, "later")
    assert not ConsentReceipt.objects.exists()
    assert not Subscription.objects.exists()


def test_nothing_typed_is_mailed(client: Client, django_capture_on_commit_callbacks: Any) -> None:
    """EM-3, EM-8: neither the wording nor any other field that a program sends along."""
    evil = "Buy at http://evil.example\r\nBcc: all@example.com"
    changes = {"wording": evil, "name": evil, "subject": evil, "site_name": evil, "path": "/http:evil.example"}
    with django_capture_on_commit_callbacks(execute=True):
        assert post(client, headers={"Accept-Language": "evil"}, **changes).status_code == 200
    raw = mail.outbox[0].message().as_string() + mail.outbox[0].body + str(mail.outbox[0].alternatives)
    assert "evil" not in raw
    assert "Bcc" not in raw
    message = Message.objects.get()
    assert "evil" not in f"{message.context} {message.subject} {message.text} {message.html}"


def test_the_token_is_kept_nowhere(client: Client, django_capture_on_commit_callbacks: Any) -> None:
    """TY-4: not in the row of the outbox either, which keeps what the customer saw."""
    with django_capture_on_commit_callbacks(execute=True):
        post(client)
    token = link_in(mail.outbox[0]).rstrip("/").rpartition("/")[2]
    message = Message.objects.get()
    assert message.state == Message.State.SENT
    assert message.text
    assert token not in str(list(Message.objects.values()))
