"""While the database is away, or can only be read, links in mails answer 503 with a kind page; never a bare 500 (OP-4)."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Any

import pytest
from django.db import OperationalError, connection
from django.test import Client

from tests.test_flows.conftest import ask, clock  # noqa: F401  fixtures
from tests.test_flows.newsletter_tools import link_in
from thankyou_flows.mail.links import preferences_url, unsubscribe_url
from thankyou_flows.models import MailingList, Message
from thankyou_flows.views import later

from .people import ANN, dump, make_list, make_message, sign_up
from .test_degradation import read_only  # noqa: F401  fixture

KIND = "Nothing was changed; please try again in a few minutes."
ONE_CLICK = {"List-Unsubscribe": "One-Click"}
CHOICE = {"frequency": "weekly", "pause": "two_weeks"}

pytestmark = pytest.mark.django_db


@pytest.fixture
def links(ask: Any) -> dict[str, str]:  # noqa: F811
    """The path of each link that a mail may carry."""
    from django.core import mail

    MailingList.objects.get_or_create(slug="newsletter", defaults={"title": "Letters", "purpose": "What is new."})
    ask("bea@example.com")
    letters = make_list()
    sign_up(letters)
    message = make_message(mailing_list=letters, state=Message.State.SENT)
    return {
        "unsubscribe": unsubscribe_url(message).removeprefix("https://shop.example"),
        "preferences": preferences_url(message).removeprefix("https://shop.example"),
        "confirm": link_in(mail.outbox[-1]),
    }


def presses(links: dict[str, str]) -> list[tuple[str, dict[str, str]]]:
    return [
        (links["unsubscribe"], ONE_CLICK),
        (links["unsubscribe"], {}),
        (links["preferences"], CHOICE),
        (links["preferences"], {"command": "leave_all"}),
        (links["confirm"], {}),
    ]


def is_kind(response: Any) -> bool:
    assert response.status_code == 503
    assert int(response.headers["Retry-After"]) > 0
    assert "no-store" in response.headers["Cache-Control"]
    return KIND in response.content.decode()


@pytest.mark.postgres
def test_read_only(client: Client, links: dict[str, str], read_only: Callable[[], None]) -> None:  # noqa: F811
    """OP-4: pages can be looked at; what is pressed answers 503, so that mail programs press again, and changes nothing."""
    before = dump()
    read_only()
    for path in links.values():
        assert client.get(path).status_code == 200
    for path, values in presses(links):
        response = client.post(path, values)
        assert is_kind(response)
        assert 'class="ty-page"' in response.content.decode()
    assert dump() == before


def test_away(client: Client, links: dict[str, str], caplog: Any) -> None:
    """OP-4, OP-6: no query is answered at all, the layout's neither; no link and no address gets into the log."""

    def refuse(*_: Any) -> Any:
        raise OperationalError(f"server closed the connection, {ANN}")

    caplog.set_level(logging.INFO)
    with connection.execute_wrapper(refuse):
        for path in links.values():
            assert is_kind(client.get(path))
        for path, values in presses(links):
            assert is_kind(client.post(path, values))
    lines = [record.getMessage() for record in caplog.records]
    assert any("OperationalError" in line for line in lines)
    assert not [line for line in lines if ANN in line or any(path in line for path in links.values())]


def test_a_layout_that_fails_too(client: Client, links: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> None:
    """OP-4: then the words come alone."""

    def fail(*_: Any, **__: Any) -> Any:
        raise OperationalError("away")

    monkeypatch.setattr(later, "render", fail)
    with connection.execute_wrapper(fail):
        assert is_kind(client.post(links["unsubscribe"], ONE_CLICK))


def test_other_mistakes_stay_loud(client: Client, links: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> None:
    """Only the database's absence is excused: a mistake of ours must be seen."""

    def fail(*_: Any, **__: Any) -> Any:
        raise KeyError("ours")

    monkeypatch.setattr("thankyou_flows.views.mail.leave", fail)
    with pytest.raises(KeyError):
        client.post(links["unsubscribe"], ONE_CLICK)
