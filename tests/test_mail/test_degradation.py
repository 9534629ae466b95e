"""What still works when a part of the shop is down: one test for each cell of the matrix, as far as mail goes (OP-4).

What is down: the mail provider, the cache, the database (it can be read, not written), and whoever counts.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from django.core.cache.backends.base import BaseCache
from django.core.mail.backends.base import BaseEmailBackend
from django.db import DatabaseError, connection, transaction
from django.test import Client
from django.urls import reverse

from tests.test_flows.conftest import (  # noqa: F401  fixtures
    dummy_store,
    make_order,
    make_page,
    offer_campaign,
    offer_page,
    order,
    ordering_browser,
)
from tests.test_flows.test_newsletter_block import WORDS, Form
from tests.test_mail.outboxes import Backend
from tests.test_mail.reports import ANN, make_event, make_message
from thankyou_flows.mail import conversions, tracking
from thankyou_flows.mail.gate import standings
from thankyou_flows.mail.sending import send_due
from thankyou_flows.mail.suppression import leave
from thankyou_flows.models import Message, OrderRecord, Subscription
from thankyou_flows.orders import record_order
from thankyou_flows.signals import contact_left, order_recorded

THANKS = "Thank you"


class Unreachable(BaseEmailBackend):
    """A mail provider that does not answer."""

    def open(self) -> bool:
        raise ConnectionRefusedError("nobody is there")

    def send_messages(self, email_messages: Any) -> int:
        raise ConnectionRefusedError("nobody is there")


class BrokenCache(BaseCache):
    """A cache server that does not answer."""

    def __init__(self, location: str, params: dict[str, Any]) -> None:
        super().__init__(params)

    def _fail(self, *args: Any, **kwargs: Any) -> Any:
        raise ConnectionRefusedError("no cache")

    add = get = set = touch = delete = clear = incr = decr = has_key = get_many = set_many = _fail


@pytest.fixture
def broken_cache(settings: Any) -> None:
    settings.CACHES = {"default": {"BACKEND": f"{__name__}.BrokenCache"}}


@pytest.fixture
def form(client: Client, make_page: Any, settings: Any) -> Form:  # noqa: F811
    """A newsletter form on a published page."""
    settings.THANKYOU_FLOWS = {**settings.THANKYOU_FLOWS, "MIN_FILL_SECONDS": 0, "BASE_URL": "https://shop.example"}
    return Form(client, make_page(body=[("newsletter", WORDS)]))


@pytest.fixture
def provider_down(use_backend: Callable[[Any], None]) -> None:
    use_backend(Unreachable())


# The mail provider is down


@pytest.mark.django_db
def test_provider_down_the_order_page_is_fine(
    offer_page: Any,  # noqa: F811
    ordering_browser: Client,  # noqa: F811
    provider_down: None,
) -> None:
    answer = ordering_browser.get(reverse("thankyou_flows:thank_you"), follow=True)
    assert answer.status_code == 200
    assert THANKS in answer.content.decode()


@pytest.mark.django_db
def test_provider_down_a_form_answers_as_ever_and_mail_is_late_not_lost(
    form: Form, use_backend: Callable[[Any], None], django_capture_on_commit_callbacks: Any
) -> None:
    """EM-10: tasks run at once here, so the request itself meets the dead provider, and says nothing of it."""
    use_backend(Unreachable())
    html = form.show()
    with django_capture_on_commit_callbacks(execute=True):
        answer = form.send(html=html)
    assert answer.status_code == 303
    assert "Please look into your mailbox" in form.show(answer["Location"])
    message = Message.objects.get()
    assert message.state == Message.State.PLANNED
    assert message.email not in message.last_error

    backend = Backend()
    use_backend(backend)
    Message.objects.update(due_at=message.created_at)
    assert send_due().sent == 1
    assert backend.recipients == ["ann"]


@pytest.mark.django_db
def test_provider_down_an_order_is_recorded(provider_down: None, django_capture_on_commit_callbacks: Any) -> None:
    make_message("waiting", state=Message.State.PLANNED, sent_at=None)
    with django_capture_on_commit_callbacks(execute=True):
        record_order(order=make_order("T-1"))
    assert OrderRecord.objects.filter(number="T-1").exists()
    assert send_due().sent == 0


# The cache is down


@pytest.mark.django_db
def test_cache_down_pages_are_fine(
    offer_page: Any,  # noqa: F811
    ordering_browser: Client,  # noqa: F811
    broken_cache: None,
) -> None:
    answer = ordering_browser.get(reverse("thankyou_flows:thank_you"), follow=True)
    assert answer.status_code == 200
    assert THANKS in answer.content.decode()


@pytest.mark.django_db
def test_cache_down_sign_ups_are_still_limited(
    form: Form, broken_cache: None, django_capture_on_commit_callbacks: Any
) -> None:
    """EM-3: who could be counted by the cache alone is turned away or counted in the database; never let through."""
    answers = []
    for _n in range(8):
        with django_capture_on_commit_callbacks(execute=True):
            answers.append(form.send().status_code)
    assert set(answers) <= {200, 303, 429, 503}
    assert Message.objects.count() <= 1


@pytest.mark.django_db
def test_cache_down_mail_is_sent(broken_cache: None, use_backend: Callable[[Any], None], planned: Any) -> None:
    backend = Backend()
    use_backend(backend)
    planned("one")
    assert send_due().sent == 1


# The database can be read, and not written


@pytest.fixture
def read_only(db: None) -> Iterator[Callable[[], None]]:
    """Return a function after which the test can only read, as at a standby server."""

    def freeze() -> None:
        with connection.cursor() as cursor:
            cursor.execute("SET TRANSACTION READ ONLY")

    # Inside a savepoint: taking it back ends the freeze, before Django looks at the rows of the test.
    with transaction.atomic():
        yield freeze
        transaction.set_rollback(True)


@pytest.mark.postgres
def test_read_only_pages_render(form: Form, read_only: Callable[[], None]) -> None:
    page = form.show()
    read_only()
    assert len(form.show()) == len(page)
    assert WORDS["heading"] in form.show()


@pytest.mark.postgres
def test_read_only_a_form_says_try_later(form: Form, read_only: Callable[[], None]) -> None:
    """Nothing is half done, and the visitor is told."""
    html = form.show()
    read_only()
    answer = form.send(html=html)
    assert answer.status_code == 422
    assert "Nothing was changed; please try again." in answer.content.decode()
    assert not Subscription.objects.exists() and not Message.objects.exists()


@pytest.mark.postgres
def test_read_only_no_mail_goes_out_that_could_not_be_recorded(
    read_only: Callable[[], None], use_backend: Callable[[Any], None], planned: Any
) -> None:
    """EM-10: what can't be marked as attempted is not sent; else it would be sent again and again."""
    backend = Backend()
    use_backend(backend)
    planned("one")
    read_only()
    with pytest.raises(DatabaseError), transaction.atomic():
        send_due()
    assert backend.sent == []
    assert Message.objects.get().state == Message.State.PLANNED


@pytest.mark.postgres
def test_read_only_a_report_is_not_taken_so_that_it_comes_again(read_only: Callable[[], None]) -> None:
    """EM-7: the provider hears that its report was not taken, and repeats it; a lost complaint would go on for ever."""
    make_message()
    read_only()
    with pytest.raises(DatabaseError), transaction.atomic():
        tracking.on_tracking(event=make_event("complained"), esp_name="Postal")
    assert Message.objects.get().delivery == ""


# Whoever counts is down


@pytest.fixture
def broken_counters(monkeypatch: Any) -> Iterator[None]:
    """Everything that listens in order to count raises."""

    def fail(**_: Any) -> None:
        raise RuntimeError("the tracker is down")

    monkeypatch.setattr(conversions, "note_order", fail)
    conversions.connect()
    for signal in (order_recorded, contact_left):
        signal.connect(fail, dispatch_uid="tests.fail")
    yield
    for signal in (order_recorded, contact_left):
        signal.disconnect(dispatch_uid="tests.fail")


@pytest.mark.django_db
def test_tracker_down_an_order_is_recorded_and_its_page_is_fine(
    offer_page: Any,  # noqa: F811
    ordering_browser: Client,  # noqa: F811
    broken_counters: None,
    django_capture_on_commit_callbacks: Any,
) -> None:
    with django_capture_on_commit_callbacks(execute=True):
        record_order(order=make_order("T-2", email=ANN))
    assert OrderRecord.objects.filter(number="T-2").exists()
    assert ordering_browser.get(reverse("thankyou_flows:thank_you"), follow=True).status_code == 200


@pytest.mark.django_db
def test_tracker_down_unsubscribing_works(broken_counters: None, django_capture_on_commit_callbacks: Any) -> None:
    message = make_message()
    with django_capture_on_commit_callbacks(execute=True), transaction.atomic():
        leave(email_key=message.email_key, message=message)
    assert standings([message], now=message.created_at)[message.email_key].suppressed


@pytest.mark.django_db
@pytest.mark.urls("tests.test_mail.webhook_urls")
def test_tracker_down_the_provider_gets_its_answer(client: Client, settings: Any, monkeypatch: Any) -> None:
    """EM-7: what we fail to count is our affair; the webhook answers 200."""
    settings.ANYMAIL = {"WEBHOOK_SECRET": "a:b"}
    tracking.connect()

    def fail(**_: Any) -> None:
        raise RuntimeError("the tracker is down")

    monkeypatch.setattr(tracking, "take_event", fail)
    body = (
        '{"events": [{"event": "bounce", "event_id": "e", "message_id": "1", "email": "a@b.example", "timestamp": 1}]}'
    )
    headers = {"Authorization": "Basic YTpi"}
    assert client.post("/anymail/mailtrap/tracking/", body, "application/json", headers=headers).status_code == 200
