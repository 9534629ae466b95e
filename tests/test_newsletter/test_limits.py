"""Mail bombing: one mailbox, one place, the whole site, and a cache that is down (EM-3, OP-4)."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.core import mail
from django.test import Client, RequestFactory

import thankyou_flows
from tests.test_flows.test_newsletter_block import WORDS, Form
from thankyou_flows.mail.composing import COMPOSERS
from thankyou_flows.models import ConfirmationAllowance, Message, Subscription
from thankyou_flows.newsletter import NewsletterError, sign_up_at_checkout
from thankyou_flows.signals import sign_ups_suspected

from .tools import WORDING, post

VICTIM = ["victim@example.com", "VICTIM@Example.COM", " victim@example.com ", "victim+1@example.com"]
NAMES = {"confirmation", COMPOSERS["confirmation"]}
NO_CACHE = {"default": {"BACKEND": "tests.test_newsletter.tools.NoCache"}}


@pytest.fixture
def form(client: Client, make_page: Any, settings: Any) -> Form:
    settings.THANKYOU_FLOWS = {**settings.THANKYOU_FLOWS, "MIN_FILL_SECONDS": 0}
    return Form(client, make_page(body=[("newsletter", WORDS)]))


@pytest.fixture
def alarms() -> Iterator[list[dict[str, Any]]]:
    heard: list[dict[str, Any]] = []

    def listen(**kwargs: Any) -> None:
        heard.append(kwargs)

    sign_ups_suspected.connect(listen)
    yield heard
    sign_ups_suspected.disconnect(listen)


@pytest.mark.django_db
def test_a_thousand_sign_ups_are_three_mails(
    form: Form, ask: Any, clock: Any, client: Client, django_capture_on_commit_callbacks: Any
) -> None:
    """EM-3: for one victim, over 30 days, by block, API and service, on two lists, however it is spelt."""
    html = form.show()
    for n in range(999):
        email = VICTIM[n % len(VICTIM)]
        with django_capture_on_commit_callbacks(execute=True):
            if n % 3 == 0:
                assert form.send(email, html=html).status_code == 303
            elif n % 3 == 1:
                assert post(client, email.strip()).status_code == 200
            else:
                ask(email, list_slug=f"list-{n % 2}")
        clock.shift(timedelta(days=30) / 1000)
    assert len(mail.outbox) == 3
    assert Message.objects.count() == 3


@pytest.mark.django_db
def test_the_site_has_a_budget(settings: Any, ask: Any, clock: Any, client: Client, alarms: Any, caplog: Any) -> None:
    """EM-3: above it no mail, the same answer, one alarm an hour; nobody's own allowance is spent."""
    settings.THANKYOU_FLOWS = {**settings.THANKYOU_FLOWS, "CONFIRMATIONS_PER_HOUR": 3}
    for n in range(3):
        ask(f"person-{n}@example.com")
    for n in range(3, 6):
        ask(f"person-{n}@example.com")
    over = post(client, "person-7@example.com")
    assert (over.status_code, over.content) == (200, b'{"state": "sent"}')
    assert len(mail.outbox) == 3
    assert [(alarm["count"], alarm["seconds"]) for alarm in alarms] == [(3, 3600)]
    assert "sign_ups_suspected" in caplog.text
    assert "@example.com" not in caplog.text
    assert ConfirmationAllowance.objects.count() == 3
    assert Subscription.objects.count() == 3
    clock.shift(timedelta(minutes=61))
    ask("person-3@example.com")
    assert len(mail.outbox) == 4


@pytest.mark.django_db
def test_a_budget_of_nothing_stops_all(settings: Any, ask: Any) -> None:
    """EM-3: a shop under attack switches sign-ups off."""
    settings.THANKYOU_FLOWS = {**settings.THANKYOU_FLOWS, "CONFIRMATIONS_PER_HOUR": 0}
    ask()
    assert not Message.objects.exists()


@pytest.mark.django_db
@pytest.mark.parametrize("down", [False, True], ids=["up", "down"])
def test_the_budget_costs_a_look(settings: Any, ask: Any, django_assert_max_num_queries: Any, down: bool) -> None:
    """EM-3: a sign-up costs a fixed number of queries, whatever is in the outbox."""
    if down:
        settings.CACHES = NO_CACHE
    for n in range(20):
        ask(f"person-{n}@example.com")
    with django_assert_max_num_queries(40) as few:
        ask("person-20@example.com")
    Message.objects.bulk_create(
        Message(dedupe_key=f"k{n}", email="x@example.com", composer="email", reason="sign_up") for n in range(30)
    )
    with django_assert_max_num_queries(len(few)):
        ask("person-21@example.com")


@pytest.mark.django_db
def test_without_a_cache_a_tenth_gets_through(
    settings: Any, clock: Any, client: Client, caplog: Any, django_capture_on_commit_callbacks: Any
) -> None:
    """OP-4: nobody can count who asks, so the whole site gets little: closed, but not for everybody. Same answer."""
    settings.THANKYOU_FLOWS = {**settings.THANKYOU_FLOWS, "CONFIRMATIONS_PER_HOUR": 40}
    settings.CACHES = NO_CACHE
    answers = set()
    for n in range(30):
        with django_capture_on_commit_callbacks(execute=True):
            response = post(client, f"person-{n}@example.com")
        answers.add((response.status_code, response.content))
    assert answers == {(200, b'{"state": "sent"}')}
    assert len(mail.outbox) == 4
    assert "@example.com" not in caplog.text
    clock.shift(timedelta(minutes=61))
    with django_capture_on_commit_callbacks(execute=True):
        post(client, "person-29@example.com")
    assert len(mail.outbox) == 5


@pytest.mark.django_db
@pytest.mark.parametrize("challenge", ["is_person", "fails"])
def test_the_challenge_is_asked_on_every_path(
    settings: Any, form: Form, client: Client, challenge: str, django_capture_on_commit_callbacks: Any
) -> None:
    """EM-3: block, API and checkout ask the shop's own hook; one that fails has not said yes."""
    flows = {**settings.THANKYOU_FLOWS, "SIGN_UP_CHALLENGE": f"tests.test_newsletter.tools.{challenge}"}
    settings.THANKYOU_FLOWS = flows
    request = RequestFactory().post("/checkout/")
    answer = form.send()
    assert answer.status_code == 422
    assert "show first that you are a person" in answer.content.decode()
    refused = post(client)
    assert (refused.status_code, refused.json()["error"]) == (403, "challenge")
    assert not sign_up_at_checkout(request=request, email="ann@example.com", wording=WORDING)
    assert not Message.objects.exists()
    with django_capture_on_commit_callbacks(execute=True):
        passed = post(client, headers={"X-Person": "yes"})
    assert passed.status_code == (200 if challenge == "is_person" else 403)
    assert len(mail.outbox) == (challenge == "is_person")


@pytest.mark.django_db
def test_a_box_beside_questions_is_asked_too(settings: Any, rf: RequestFactory, campaign: Any) -> None:
    """EM-3: the box of a coupon's questions comes with a request, so the challenge is asked."""
    from coupons.models import Coupon
    from thankyou_flows.signal_handlers import on_marketing_agreed

    coupon = Coupon.objects.create(campaign=campaign)
    on_marketing_agreed(coupon=coupon, email="ann@example.com", text="And letters.", request=rf.post("/unlock/"))
    receipt = Subscription.objects.get().receipts.get()
    assert (receipt.method, receipt.wording, receipt.path) == ("coupon", "And letters.", "/unlock/")
    flows = {**settings.THANKYOU_FLOWS, "SIGN_UP_CHALLENGE": "tests.test_newsletter.tools.is_person"}
    settings.THANKYOU_FLOWS = flows
    on_marketing_agreed(coupon=coupon, email="ben@example.com", text="And letters.", request=rf.post("/unlock/"))
    assert Subscription.objects.count() == 1


def test_one_door_to_the_mailer() -> None:
    """EM-3: only the service puts confirmations into the outbox; nothing else in the code names their composer."""
    root = Path(thankyou_flows.__file__).parent
    paths = [*root.rglob("*.py"), *(root.parent / "example_site").rglob("*.py")]
    users = {path.name for path in paths if any(_queues(node) for node in ast.walk(ast.parse(path.read_text())))}
    assert users == {"signing_up.py"}
    callers = {path.name for path in root.rglob("*.py") if "compose_confirmation" in path.read_text()}
    assert callers == {"composing.py", "mails.py"}


def _queues(node: ast.AST) -> bool:
    """Say whether this is ``composer="confirmation"`` of a call."""
    is_composer = isinstance(node, ast.keyword) and node.arg == "composer"
    return is_composer and isinstance(node.value, ast.Constant) and node.value.value in NAMES


def test_errors_never_name_the_address() -> None:
    """EM-2: what a visitor is told is a sentence of ours."""
    for error in NewsletterError.__subclasses__():
        assert str(error()) == str(error.message)
