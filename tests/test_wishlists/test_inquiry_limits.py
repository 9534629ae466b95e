"""Questions are asked without an account: what keeps one visitor from closing the form for all, and answers from waiting."""

from __future__ import annotations

import logging
import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from io import StringIO
from typing import Any

import pytest
import time_machine
from django.core import mail
from django.core.cache import cache
from django.core.cache.backends.locmem import LocMemCache
from django.core.management import call_command
from django.db import connections
from django.test import Client, RequestFactory

from wishlists import clients, inquiries, mails
from wishlists.clients import client_of
from wishlists.inquiries import TooManyQuestions, answer, ask, plain_text, send_waiting
from wishlists.models import Inquiry

pytestmark = pytest.mark.django_db

NOON = datetime(2026, 11, 5, 12, tzinfo=UTC)
LATER = NOON + timedelta(minutes=6)


@pytest.fixture(autouse=True)
def clock() -> Iterator[time_machine.Traveller]:
    """Noon, and it stands; nobody has asked anything."""
    cache.clear()
    with time_machine.travel(NOON, tick=False) as traveller:
        yield traveller
    cache.clear()


def ask_often(number: int, *, client: str = "192.0.2.1", first: int = 0) -> None:
    for each in range(first, first + number):
        ask(email=f"{client}-{each}@example.com".replace(":", "-").replace("/", "-"), text="Hello?", client=client)


# Twice is once --------------------------------------------------------------------------------------


def test_the_same_words_about_another_product_are_another_question() -> None:
    """Only the same question twice is one: “Is it shade-grown?” may be asked of two teas."""
    words = {"email": "ada@example.com", "text": "Is it shade-grown?"}
    sencha, matcha = [{"product_ref": "tea", "title": "Sencha"}], [{"product_ref": "matcha", "title": "Matcha"}]
    first = ask(**words, products=sencha)
    assert ask(**words, products=iter(sencha)) == first
    second = ask(**words, products=matcha)
    assert (second == first, second.products[0]["title"]) == (False, "Matcha")
    assert ask(**words) not in (first, second)
    assert Inquiry.objects.count() == 3


# Limits ---------------------------------------------------------------------------------------------


def test_one_client_cannot_close_the_form_for_all(clock: Any) -> None:
    """ASVS 2.4.1: five in an hour of one client, whatever addresses it invents; the others go on asking."""
    ask_often(5)
    with pytest.raises(TooManyQuestions) as refused:
        ask(email="new@example.com", text="Hello?", client="192.0.2.1")
    assert refused.value.code == "client"
    ask_often(1, client="192.0.2.2")
    ask(email="new@example.com", text="Without a client, as a program asks")
    clock.shift(3601)
    ask_often(1, first=99)


def test_nor_does_it_in_a_day(clock: Any) -> None:
    """Twenty a day; what the limit of an hour refused does not count."""
    for hour in range(4):
        ask_often(5, first=10 * hour)
        with pytest.raises(TooManyQuestions):
            ask_often(1, first=10 * hour + 9)
        clock.shift(3601)
    with pytest.raises(TooManyQuestions):
        ask_often(1, first=99)
    clock.shift(24 * 3600)
    ask_often(1, first=99)


def test_a_double_click_counts_once() -> None:
    """At the limit too, the second click is the first question again."""
    for _click in range(9):
        ask(email="ada@example.com", text="Hello?", client="192.0.2.1")
    ask_often(4)
    with pytest.raises(TooManyQuestions):
        ask_often(1, first=99)
    ask(email="ada@example.com", text="Hello?", client="192.0.2.1")


def test_the_site_takes_hundreds_in_an_hour() -> None:
    """The last resort, far above what customers ask."""
    Inquiry.objects.bulk_create(Inquiry(email=f"{n}@example.com", text="?", created_at=NOON) for n in range(599))
    ask_often(1)
    with pytest.raises(TooManyQuestions) as refused:
        ask_often(1, client="192.0.2.2")
    assert refused.value.code == "site"


def test_the_form_counts_by_address(clock: Any) -> None:
    """Through the front door: 429, with what was typed, and not for the neighbour."""
    page = Client().get("/lists/ask/").content.decode()
    stamp = page.split('name="began" value="')[1].split('"')[0]
    clock.shift(30)

    def post(number: int, address: str) -> Any:
        data = {"email": f"a{number}@example.com", "text": "Is it green?", "began": stamp}
        return Client(REMOTE_ADDR=address).post("/lists/ask/", data)

    assert [post(number, "192.0.2.1").status_code for number in range(6)] == [303] * 5 + [429]
    refused = post(7, "192.0.2.1")
    assert "Is it green?" in refused.content.decode()
    assert "Several questions have come from your connection" in refused.content.decode()
    assert refused["Retry-After"] == "3600"
    assert post(8, "192.0.2.2").status_code == 303


@pytest.mark.parametrize(
    ("address", "forwarded", "proxies", "client"),
    [
        ("192.0.2.1", "", 0, "192.0.2.1"),
        ("192.0.2.1", "198.51.100.7", 0, "192.0.2.1"),
        ("192.0.2.1", "1.1.1.1, 198.51.100.7", 1, "198.51.100.7"),
        ("192.0.2.1", "1.1.1.1, 198.51.100.7, 10.0.0.1", 2, "198.51.100.7"),
        ("192.0.2.1", "198.51.100.7", 2, "192.0.2.1"),
        ("192.0.2.1", "198.51.100.7:4711", 1, "198.51.100.7"),
        ("192.0.2.1", "[2001:db8::7]:443", 1, "2001:db8::/64"),
        ("2001:db8:0:1:2::3", "", 0, "2001:db8:0:1::/64"),
        ("::ffff:192.0.2.1", "", 0, "192.0.2.1"),
        ("fe80::1%eth0", "", 0, "fe80::/64"),
        ("", "", 0, "unknown"),
        ("a socket", "nonsense", 1, "unknown"),
    ],
)
def test_who_asks(address: str, forwarded: str, proxies: int, client: str, site: Any) -> None:
    """The visitor's address behind ``TRUSTED_PROXIES``; of IPv6 the network, because its addresses are free."""
    site.THANKYOU_WISHLISTS = {**site.THANKYOU_WISHLISTS, "TRUSTED_PROXIES": proxies}
    headers = {"x-forwarded-for": forwarded} if forwarded else {}
    assert client_of(RequestFactory().get("/", REMOTE_ADDR=address, headers=headers)) == client


class BrokenCache(LocMemCache):
    """A cache that does not answer."""

    def incr(self, *args: Any, **kwargs: Any) -> Any:
        raise ConnectionError("no cache")

    add = incr


def test_a_broken_cache_lets_through(site: Any, caplog: Any) -> None:
    """A question is worth more than a limit; that it could not be counted is logged, without the address."""
    site.CACHES = {"default": {"BACKEND": f"{__name__}.BrokenCache"}}
    with caplog.at_level(logging.ERROR, "wishlists.clients"):
        ask_often(7)
    assert Inquiry.objects.count() == 7
    assert caplog.records
    assert "192.0.2.1" not in caplog.text


def test_no_address_is_in_the_cache(monkeypatch: pytest.MonkeyPatch) -> None:
    """Only a keyed hash of it."""
    keys: list[str] = []
    real = cache.add
    monkeypatch.setattr(clients.cache, "add", lambda key, *args, **more: keys.append(key) or real(key, *args, **more))
    ask_often(1)
    assert len(keys) == 2
    assert not any("192.0.2" in key for key in keys)


# Answers that wait ----------------------------------------------------------------------------------


class Server:
    """A mail server: takes what it is given, but for some."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.refuses: set[str] = set()
        self.raises: set[str] = set()
        self.taken: list[str] = []
        monkeypatch.setattr(mails, "send_answer", self.take)

    def take(self, inquiry: Inquiry) -> bool:
        if inquiry.email in self.raises:
            raise RuntimeError(inquiry.email)
        if inquiry.email in self.refuses:
            return False
        self.taken.append(inquiry.email)
        return True


def answered(name: str, *, at: datetime = NOON, **more: Any) -> Inquiry:
    values = {"state": "answered", "answer": "Yes.", "answered_at": at, **more}
    return Inquiry.objects.create(email=f"{name}@example.com", text="?", **values)


def test_answers_that_wait_are_sent(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each once, one that fails stops nobody; what is young, open, closed or sent is left alone."""
    server = Server(monkeypatch)
    server.refuses, server.raises = {"no@example.com"}, {"bad@example.com"}
    for name in ("no", "bad", "ada", "bob"):
        answered(name)
    answered("young", at=LATER - timedelta(minutes=4))
    answered("sent", mailed_at=NOON)
    answered("open", state="open")
    answered("closed", state="closed")
    assert send_waiting(now=LATER) == 2
    assert server.taken == ["ada@example.com", "bob@example.com"]
    assert set(Inquiry.objects.filter(mailed_at=LATER).values_list("email", flat=True)) == set(server.taken)
    server.refuses, server.raises = set(), set()
    assert send_waiting(now=LATER) == 2
    assert send_waiting(now=LATER) == 0
    assert sorted(server.taken) == ["ada@example.com", "bad@example.com", "bob@example.com", "no@example.com"]


def test_the_command_sends_what_waits(clock: Any, django_capture_on_commit_callbacks: Any) -> None:
    """Meant for cron: prints how many went."""
    inquiry = ask(email="ada@example.com", text="Hello?")
    answer(inquiry=inquiry, text="Yes.", by=None)  # nothing is committed here, so nothing is mailed
    out = StringIO()
    call_command("send_waiting_answers", stdout=out)
    clock.shift(301)
    call_command("send_waiting_answers", stdout=out)
    assert out.getvalue().split() == ["sent=0", "sent=1"]
    assert [message.to for message in mail.outbox] == [["ada@example.com"]]


def send_at_once() -> None:
    """Let four commands begin at the same moment."""
    start = threading.Barrier(4)

    def one() -> None:
        try:
            start.wait()
            send_waiting(now=LATER)
        finally:
            connections.close_all()

    threads = [threading.Thread(target=one) for _number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


@pytest.fixture
def slow_server(monkeypatch: pytest.MonkeyPatch) -> Server:
    """One that takes its time."""
    server = Server(monkeypatch)

    def take(inquiry: Inquiry) -> bool:
        threading.Event().wait(0.2)
        return server.take(inquiry)

    monkeypatch.setattr(mails, "send_answer", take)
    return server


@pytest.mark.postgres
@pytest.mark.django_db(transaction=True)
def test_four_commands_at_once_send_one_mail(slow_server: Server) -> None:
    """The row is claimed before the mail goes."""
    for name in ("ada", "bob"):
        answered(name)
    send_at_once()
    assert sorted(slow_server.taken) == ["ada@example.com", "bob@example.com"]


@pytest.mark.postgres
@pytest.mark.teeth
@pytest.mark.django_db(transaction=True)
def test_without_the_claim_it_would_go_four_times(slow_server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    """Teeth: look, and send."""
    monkeypatch.setattr(inquiries, "_claim", lambda inquiry: True)
    answered("ada")
    send_at_once()
    assert len(slow_server.taken) > 1


@pytest.mark.parametrize("mark", "\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")
@pytest.mark.parametrize("is_line", [True, False])
def test_no_text_turns_around_what_follows_it(mark: str, is_line: bool) -> None:
    """A name or a question stands in mails and in the admin, beside words that are not the visitor's."""
    assert plain_text(f"{mark}a {mark} b{mark}", is_line=is_line) == ("a b" if is_line else "a  b")
    assert plain_text("قائمة 👩‍👩‍👧", is_line=is_line) == "قائمة 👩‍👩‍👧"
