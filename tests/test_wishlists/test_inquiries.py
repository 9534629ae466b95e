"""Questions to the shop: without an account, with nothing lost, answered by mail."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import time_machine
from django.contrib.auth.models import User
from django.core import mail
from django.core.cache import cache
from django.core.checks import run_checks
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.django import TestCase

from wishlists import inquiries, mails
from wishlists.inquiries import TooManyQuestions, answer, ask, plain_text
from wishlists.lines import Line
from wishlists.models import Inquiry, ListItem, ProductList
from wishlists.signals import inquiry_received

from .catalogs import PRODUCTS, MemoryCatalog
from .conftest import put

pytestmark = pytest.mark.django_db

ASK = "/lists/ask/"
SENT = "/lists/ask/sent/"
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


def began(client: Client, query: str = "") -> str:
    """Open the form, and return its stamp."""
    page = client.get(ASK + query).content.decode()
    found = re.search(r'name="began" value="([^"]+)"', page)
    assert found
    return found[1]


def written(client: Client, clock: time_machine.Traveller, query: str = "", **more: str) -> dict[str, str]:
    """What a person sends half a minute after opening the form."""
    stamp = began(client, query)
    clock.shift(30)
    return {"email": "ada@example.com", "name": "Ada", "text": "Is it shade-grown?", "began": stamp, **more}


def with_email(name: str, **more: Any) -> Client:
    client = Client()
    client.force_login(User.objects.create_user(name, f"{name}@example.com", **more))
    return client


def test_a_guest_asks_about_a_product(client: Client, clock: Any) -> None:
    """Issue 4: with no registration; the page says what the address is for, and how long it is kept."""
    page = client.get(ASK, {"product": "tea", "options": "big"})
    text = page.content.decode()
    assert "Sencha" in text
    assert "180 days after the answer we" in text
    assert 'autocomplete="email"' in text
    assert "no-store" in page["Cache-Control"]
    assert page["X-Robots-Tag"] == "noindex"
    data = written(client, clock, "?product=tea&options=big", product="tea", options="big")
    response = client.post(ASK, data)
    assert (response.status_code, response["Location"]) == (303, SENT)
    inquiry = Inquiry.objects.get()
    assert (inquiry.email, inquiry.name, inquiry.text) == ("ada@example.com", "Ada", "Is it shade-grown?")
    assert (inquiry.state, inquiry.language, inquiry.created_at) == ("open", "en", NOON + timedelta(seconds=30))
    assert inquiry.products == [
        {
            "product_ref": "tea",
            "options": "big",
            "option_title": "big",
            "title": "Sencha",
            "quantity": 1,
            "url": "http://testserver/p/tea/",
        }
    ]
    assert "has reached us" in client.get(SENT).content.decode()
    assert not mail.outbox, "a question is a mail to nobody"


def test_looking_changes_nothing(client: Client, django_assert_num_queries: Any) -> None:
    """CK-7: no query, no session, no cookie, no token for a guest who looks."""
    with django_assert_num_queries(0):
        for query in ("", "?product=tea", "?list=saved", "?list=cart"):
            response = client.get(ASK + query)
            assert response.status_code == 200
            assert not response.cookies
            assert "csrfmiddlewaretoken" not in response.content.decode()
        assert not client.get(SENT).cookies


@pytest.mark.parametrize("query", ["?product=nothing", "?product=%00", "?product=tea&options=%00", "?list=%00"])
def test_unknown_things_are_not_found(client: Client, query: str) -> None:
    """SL-3: what the shop does not know, nobody asks about."""
    assert client.get(ASK + query).status_code == 404


def test_options_are_those_that_there_are(client: Client, clock: Any) -> None:
    """In general, or in one that the shop has; nobody writes something of his own there. Of a list, as it is kept."""
    MemoryCatalog.products["tea"] = replace(PRODUCTS["tea"], choices={"big": "250 g"})
    assert "250 g" in client.get(ASK, {"product": "tea", "options": "big"}).content.decode()
    assert client.get(ASK, {"product": "tea"}).status_code == 200
    assert client.get(ASK, {"product": "tea", "options": "Call 555-1234"}).status_code == 404
    put(client, Line("tea", options="small"))
    client.post(ASK, written(client, clock, "?list=cart", list="cart"))
    assert Inquiry.objects.get().products[0]["options"] == "small"


def test_the_products_are_those_of_the_own_list(client: Client, clock: Any) -> None:
    """Taken from the list when the question is sent, as far as the catalogue knows them; nothing comes from the form."""
    put(client, Line("tea", 2), Line("pot"), Line("gone"))
    page = client.get(ASK, {"list": "cart"}).content.decode()
    assert "2 ×" in page
    assert "One product of your list is not part of the question." in page
    client.post(ASK, written(client, clock, "?list=cart", list="cart", title="Evil", products='[{"title": "Evil"}]'))
    found = Inquiry.objects.get().products
    assert [(row["title"], row["quantity"]) for row in found] == [("Sencha", 2), ("Kyusu", 1)]


def test_a_question_is_about_a_hundred_products_at_most(clock: Any, django_assert_num_queries: Any) -> None:
    """And whatever their number, the catalogue is asked once, and the database seven times, the account included."""
    client = with_email("ada")
    row = ProductList.objects.create(owner=User.objects.get(), kind="wish", name="Kitchen")
    ListItem.objects.bulk_create(ListItem(list=row, product_ref=f"sku-{n}") for n in range(120))
    MemoryCatalog.calls.clear()
    with django_assert_num_queries(3):  # session, user, list
        page = client.get(ASK, {"list": row.key}).content.decode()
    assert "Thing 99" in page
    assert "Thing 100" not in page
    assert "20 products of your list" in page
    assert 'value="ada@example.com"' in page, "an account need not type its address"
    data = written(client, clock, f"?list={row.key}", list=row.key)
    MemoryCatalog.calls.clear()
    with django_assert_num_queries(8):  # with a savepoint around the row
        client.post(ASK, data)
    assert len(MemoryCatalog.calls) == 1
    assert len(Inquiry.objects.get().products) == 100


def test_the_lists_of_others_are_not_there(client: Client) -> None:
    """SL-3: the same 404 for another's list, an unknown one, and a guest."""
    row = ProductList.objects.create(owner=User.objects.create_user("bob"), kind="wish", name="Bob's")
    ListItem.objects.create(list=row, product_ref="tea")
    ada = with_email("ada")
    for visitor in (client, ada):
        for key in (row.key, "A" * 22, "wish"):
            assert visitor.get(ASK, {"list": key}).status_code == 404


@pytest.mark.parametrize("about", [{"product": "gone"}, {"list": "A" * 22}, {"list": "saved"}])
def test_what_went_away_meanwhile_loses_nothing_typed(client: Client, clock: Any, about: dict[str, str]) -> None:
    """A product or a list that was there when the form was opened: said kindly, and the question can go without it."""
    data = written(client, clock)
    response = client.post(ASK, data | about)
    page = response.content.decode()
    assert response.status_code == 422
    assert "You can send your question without it." in page
    assert "Is it shade-grown?" in page
    assert 'name="product"' not in page
    assert 'name="list"' not in page
    assert client.post(ASK, data).status_code == 303


@pytest.mark.parametrize(
    ("field", "value", "said"),
    [
        ("email", "", "so that we can answer you"),
        ("email", "ada", "Please check the e-mail address"),
        ("email", "ada@example.com\nBcc: eve@example.com", "Please check the e-mail address"),
        ("text", "", "Please write your question here."),
        ("text", " \x00\r\n ", "Please write your question here."),
        ("text", "x" * 3001, "it has 3001 characters, and 3000 fit"),
        ("name", "x" * 81, "at most 80 characters"),
        ("website", "http://spam.example", "a field that people cannot see was filled in"),
        ("began", "", "open for a long time"),
        ("began", "\x00:é:x", "open for a long time"),
    ],
)
def test_what_is_wrong_is_said_beside_what_was_typed(
    client: Client, clock: Any, field: str, value: str, said: str
) -> None:
    """422, and all the rest stands there again; the second try goes through."""
    data = written(client, clock)
    response = client.post(ASK, data | {field: value})
    page = response.content.decode()
    assert response.status_code == 422
    assert said in page
    assert "spam.example" not in page
    for kept in {"email", "text", "name"} - {field}:
        assert data[kept] in page
    assert not Inquiry.objects.exists()
    assert client.post(ASK, data).status_code == 303


def test_programs_are_quicker_than_people(client: Client, clock: Any) -> None:
    """No session is needed: the form has a signed moment. Who was too quick, is heard the second time."""
    stamp = began(client)
    data = {"email": "ada@example.com", "text": "Hello?", "began": stamp}
    clock.shift(2)
    response = client.post(ASK, data)
    assert response.status_code == 422
    assert "That was very quick" in response.content.decode()
    assert stamp in response.content.decode(), "the time of waiting does not begin again"
    clock.shift(1)
    assert client.post(ASK, data).status_code == 303
    clock.shift(24 * 60 * 60)
    assert client.post(ASK, data | {"text": "Again?"}).status_code == 422
    assert client.post(ASK, data | {"text": "Again?", "began": began(client)}).status_code == 422


def test_a_post_of_another_site_is_refused(clock: Any) -> None:
    """No token in the page, and yet no form of another site (origin)."""
    client = Client(enforce_csrf_checks=True)
    data = written(client, clock)
    assert client.post(ASK, data, headers={"Sec-Fetch-Site": "cross-site"}).status_code == 403
    assert client.post(ASK, data, headers={"Sec-Fetch-Site": "same-origin"}).status_code == 303


def test_the_limits_of_an_hour(client: Client, clock: Any) -> None:
    """Three of an address, however it is written, 600 of the site; said kindly, with nothing lost (ASVS 2.4.1)."""
    data = written(client, clock)
    for number in range(3):
        assert client.post(ASK, data | {"text": f"Question {number}"}).status_code == 303
    for address in ("ada@example.com", "ADA@Example.com"):
        response = client.post(ASK, data | {"email": address})
        assert (response.status_code, response["Retry-After"]) == (429, "3600")
        assert "Several questions have come from this e-mail address" in response.content.decode()
        assert "Is it shade-grown?" in response.content.decode()
    now = timezone.now()
    Inquiry.objects.bulk_create(Inquiry(email=f"{n}@example.com", text="?", created_at=now) for n in range(597))
    response = client.post(ASK, data | {"email": "new@example.com"})
    assert response.status_code == 429
    assert "a lot of questions" in response.content.decode()
    clock.shift(3601)
    assert client.post(ASK, data).status_code == 303


def test_a_double_click_is_one_question(client: Client, clock: Any, commits: Any, settings: Any) -> None:
    """The same words of the same address in an hour, also at the limit; told once."""
    settings.THANKYOU_WISHLISTS = {**settings.THANKYOU_WISHLISTS, "INQUIRY_NOTIFY": ["shop@example.com"]}
    data = written(client, clock)
    with commits():
        for _ in range(5):
            assert client.post(ASK, data).status_code == 303
    assert Inquiry.objects.count() == 1
    assert len(mail.outbox) == 1
    clock.shift(3601)
    ask(email=data["email"], text=data["text"])
    assert Inquiry.objects.count() == 2


def test_json(client: Client, clock: Any) -> None:
    """For shops with a front end of their own: the same, without a page."""
    data = written(client, clock)
    headers = {"Accept": "application/json"}
    refused = client.post(ASK, data | {"email": "ada"}, headers=headers)
    assert refused.status_code == 422
    assert list(refused.json()["errors"]) == ["email"]
    assert "has reached us" in client.post(ASK, data, headers=headers).json()["message"]
    for number in range(2):
        client.post(ASK, data | {"text": str(number)}, headers=headers)
    assert client.post(ASK, data | {"text": "One more"}, headers=headers).status_code == 429


def test_the_shop_hears_of_it_if_it_wants(settings: Any, commits: Any) -> None:
    """INQUIRY_NOTIFY: with the question, and where to answer it; without the address, because replies go nowhere."""
    settings.THANKYOU_WISHLISTS = {**settings.THANKYOU_WISHLISTS, "INQUIRY_NOTIFY": ["shop@example.com"]}
    settings.ROOT_URLCONF = "example_site.urls"
    heard = []

    def hear(**kwargs: Any) -> None:
        heard.append(kwargs["inquiry"])
        raise RuntimeError("a receiver of the shop")

    inquiry_received.connect(hear)
    try:
        with commits():
            products = [{"title": "Sencha\r\nBcc: eve@example.com <b>", "product_ref": "tea", "quantity": 2}]
            inquiry = ask(email="ada@example.com", name="Ada\nCc: eve@example.com", text="<b>Hi</b>", products=products)
    finally:
        inquiry_received.disconnect(hear)
    assert heard == [inquiry]
    (message,) = mail.outbox
    assert message.to == ["shop@example.com"]
    assert message.subject == "A customer asks about “Sencha Bcc: eve@example.com <b>”"
    assert "<b>Hi</b>" in message.body
    assert f"/admin/thankyou_wishlists_inquiry/inspect/{inquiry.pk}/" in message.body
    assert "ada@example.com" not in message.message().as_string()
    assert message.message()["Bcc"] is None


def test_a_mail_server_that_is_away_loses_no_question(settings: Any, commits: Any) -> None:
    """The question stays, and the customer hears nothing of it."""
    settings.THANKYOU_WISHLISTS = {**settings.THANKYOU_WISHLISTS, "INQUIRY_NOTIFY": ["shop@example.com"]}
    settings.EMAIL_BACKEND = "tests.test_wishlists.test_inquiries.NoServer"
    with commits():
        ask(email="ada@example.com", text="Hello?")
    assert Inquiry.objects.count() == 1


class NoServer:
    """A mail server that is away."""

    def __init__(self, **kwargs: Any) -> None:
        raise OSError("refused")


@pytest.mark.parametrize(
    "bad", [{"email": "ada"}, {"email": "a@b.example\n"}, {"text": ""}, {"text": "x" * 3001}, {"name": "x" * 81}]
)
def test_what_is_no_question(bad: dict[str, str]) -> None:
    """Whoever calls the verb from elsewhere gets a ValueError; white space around an address is none of it."""
    given = {"email": "ada@example.com", "text": "Hello?"} | bad
    if given["email"].endswith("\n"):
        assert ask(**given).email == "a@b.example"
        return
    with pytest.raises(ValueError, match="not an? "):
        ask(**given)


def test_the_greeting_and_the_mail_are_in_the_askers_language(settings: Any) -> None:
    """A language that the site has no more is no reason to fail."""
    settings.WAGTAIL_SITE_NAME = "Kettle & Fern"
    inquiry = Inquiry(email="a@example.com", name="Ada", text="?", language="xx-unknown")
    assert mails.greeting_for(inquiry) == "Hello Ada,\n\n\n\nKind regards\nKettle & Fern"
    assert mails.greeting_for(Inquiry(language="en")).startswith("Hello,\n")
    assert mails.render_answer(inquiry, answer="Yes.").subject == "Your question to Kettle & Fern"
    arabic = mails.render_answer(Inquiry(text="?", language="ar"), answer="Yes.")
    assert 'dir="rtl"' in arabic.html


def test_notify_is_checked(settings: Any) -> None:
    """D11: a wrong setting is named, with its fix."""
    for value, errors in (([], 0), (["a@example.com"], 0), ("a@example.com", 1), (["a"], 1), ([5], 1), (None, 1)):
        settings.THANKYOU_WISHLISTS = {"INQUIRY_NOTIFY": value}
        found = [e for e in run_checks() if e.id == "thankyou_wishlists.E003" and "INQUIRY_NOTIFY" in e.msg]
        assert len(found) == errors, value


def test_the_address_of_the_form() -> None:
    assert (reverse("thankyou_wishlists:ask"), reverse("thankyou_wishlists:ask_sent")) == (ASK, SENT)


class AnyText(TestCase):
    """Whatever somebody sends: an answer below 500, and nothing in the table that a mail or a database chokes on."""

    @settings(max_examples=30)
    @given(
        fields=st.dictionaries(
            st.sampled_from(["email", "name", "text", "product", "options", "list", "began", "website"]), st.text()
        )
    )
    def test_any_fields(self, fields: dict[str, str]) -> None:
        client = Client()
        data = {key: value.encode("utf-8", "replace").decode() for key, value in fields.items()}
        assert client.post(ASK, data).status_code < 500
        assert client.get(ASK, data).status_code < 500

    @settings(max_examples=30)
    @given(text=st.text(st.characters(), min_size=1), name=st.text(st.characters(), max_size=80))
    def test_any_words(self, text: str, name: str) -> None:
        now = timezone.now() + timedelta(hours=2 * Inquiry.objects.count())
        try:
            inquiry = ask(email="ada@example.com", text=text, name=name, now=now)
        except (ValueError, TooManyQuestions):
            return
        kept = Inquiry.objects.get(pk=inquiry.pk)
        assert kept.text == plain_text(text)
        assert "\n" not in kept.name
        made = mails.render_answer(kept, answer=plain_text(text))
        assert "\n" not in made.subject
        assert kept.text in made.text
        answer(inquiry=kept, text="Yes.", by=None)
        assert inquiries.count_open() == Inquiry.objects.filter(state="open").count()
