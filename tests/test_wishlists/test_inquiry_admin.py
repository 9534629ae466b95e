"""Customers' questions in the admin: who may do what, the answer with its preview, and two people at once."""

from __future__ import annotations

import html
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import Group, Permission, User
from django.core import mail
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from wagtail.models import ModelLogEntry

from wishlists.inquiries import answer, ask, close
from wishlists.models import Inquiry

from .catalogs import PRODUCTS, MemoryCatalog
from .staff import client_with, use_admin

pytestmark = pytest.mark.django_db

LIST = "/admin/thankyou_wishlists_inquiry/"
STEPS = ("inspect", "close", "reopen", "send", "delete")
TEXT = "Hello Ada,\n\nYes, it is shade-grown.\n\nKind regards\nKettle & Fern"


@pytest.fixture(autouse=True)
def admin(site: Any) -> None:
    use_admin(site)


@pytest.fixture
def commits(django_capture_on_commit_callbacks: Any) -> Any:
    """Run what waits for the commit, as outside of tests."""
    return lambda: django_capture_on_commit_callbacks(execute=True)


def url(step: str, inquiry: Inquiry) -> str:
    return reverse(f"thankyou_wishlists_inquiry:{step}", args=[inquiry.pk])


def a_question(number: int = 0, **more: Any) -> Inquiry:
    products = [
        {"product_ref": "tea", "options": "big", "option_title": "Big", "title": "Sencha then", "quantity": 2},
        {"product_ref": "pot", "options": "", "title": "Kyusu", "quantity": 9},
        {"product_ref": "cup", "options": "", "title": "Yunomi", "quantity": 1},
        {"product_ref": "gone", "options": "", "title": "Old pot", "quantity": 1},
    ]
    given = {"email": f"ada{number}@example.com", "name": "Ada", "text": f"Is it <b>shade-grown {number}?"}
    return ask(**{**given, "products": products, **more}, now=timezone.now() - timedelta(hours=number + 2))


def everything() -> list[Any]:
    return [*Inquiry.objects.order_by("pk").values(), *ModelLogEntry.objects.values()]


# Who may what ------------------------------------------------------------------------------------


@pytest.mark.parametrize("verb", ["get", "post"])
def test_nobody_and_editors_are_kept_out(client: Client, verb: str) -> None:
    """Issue 4: addresses of customers are for those who may read them; nothing is changed by a raw request either."""
    inquiry = a_question()
    before = everything()
    editor = client_with("view_save", username="editor")
    User.objects.get(username="editor").groups.set(Group.objects.filter(name__in=["Editors", "Moderators"]))
    for address in (LIST, f"{LIST}results/", *(url(step, inquiry) for step in STEPS)):
        response = getattr(client, verb)(address)
        assert response.status_code == 302
        assert "/login/" in response["Location"]
        response = getattr(editor, verb)(address, {"answer": TEXT})
        assert (response.status_code, response["Location"]) == (302, reverse("wagtailadmin_home"))
        assert "example.com" not in response.content.decode()
    assert everything() == before
    assert not mail.outbox


@pytest.mark.parametrize("may", ["view", "answer", "delete"])
def test_each_permission_apart(may: str, commits: Any) -> None:
    """Whoever may do one thing reads the questions; only what is allowed is offered, and done."""
    inquiry = a_question()
    client = client_with(f"{may}_inquiry")
    page = client.get(url("inspect", inquiry)).content.decode()
    assert "ada0@example.com" in page
    assert ("Send the answer" in page) == ("Close without" in page) == (may == "answer")
    assert (url("delete", inquiry) in page) == (may == "delete")
    with commits():
        client.post(url("inspect", inquiry), {"answer": TEXT})
    assert bool(mail.outbox) == (may == "answer")
    for step in ("close", "reopen", "send"):
        before = everything()
        client.post(url(step, inquiry))
        assert may == "answer" or everything() == before
    assert (client.get(url("delete", inquiry)).status_code == 200) == (may == "delete")
    client.post(url("delete", inquiry))
    assert Inquiry.objects.exists() == (may != "delete")


def test_a_group_can_be_allowed_each() -> None:
    """The three permissions stand in Wagtail's form of a group, and the two of the report."""
    client = client_with()
    User.objects.update(is_superuser=True)
    page = client.get(reverse("wagtailusers_groups:add")).content.decode()
    wanted = ["view_inquiry", "answer_inquiry", "delete_inquiry", "view_save", "export_save"]
    for permission in Permission.objects.filter(codename__in=wanted):
        assert f'value="{permission.pk}"' in page


def test_the_menu_says_how_many_wait(django_assert_num_queries: Any) -> None:
    """For those who may see them only."""
    home = reverse("wagtailadmin_home")
    reader = client_with("view_inquiry")
    assert LIST in reader.get(home).content.decode()
    assert "Questions (" not in reader.get(home).content.decode()
    a_question(0)
    close(inquiry=a_question(1))
    assert "Questions (1)" in reader.get(home).content.decode()
    assert LIST not in client_with(username="other").get(home).content.decode()


# The list ----------------------------------------------------------------------------------------


def test_an_empty_list_says_what_belongs_there() -> None:
    client = client_with("view_inquiry")
    assert "There are no questions yet." in client.get(LIST).content.decode()
    assert "There are no questions yet." not in client.get(LIST, {"q": "tea"}).content.decode()


def test_the_list_is_searched_and_filtered() -> None:
    """Newest first; text, address and name; by state."""
    client = client_with("view_inquiry")
    newest, middle, oldest = a_question(0), a_question(1, name="Bo"), a_question(2, text="Vegan?")
    close(inquiry=oldest)
    for query, found in (
        ({}, [newest, middle, oldest]),
        ({"q": "VEGAN"}, [oldest]),
        ({"q": "ada1@"}, [middle]),
        ({"q": "bo"}, [middle]),
        ({"state": "open"}, [newest, middle]),
        ({"state": "closed", "q": "shade"}, []),
        ({"q": "\x00"}, [newest, middle, oldest]),
    ):
        assert list(client.get(LIST, query).context["object_list"]) == found, query
    page = client.get(LIST).content.decode()
    assert "Is it &lt;b&gt;shade-grown 0?" in page
    assert "ada0@example.com" in page


def test_the_list_and_a_question_cost_the_same_for_any_number(
    django_assert_num_queries: Any, django_assert_max_num_queries: Any
) -> None:
    """1 row and 20, with the number in the menu."""
    client = client_with("view_inquiry", "answer_inquiry")
    inquiry = a_question()
    client.get(LIST)
    with django_assert_max_num_queries(14) as listing:
        client.get(LIST)
    with django_assert_max_num_queries(14) as inspecting:
        client.get(url("inspect", inquiry))
    for number in range(1, 20):
        a_question(number)
    Inquiry.objects.update(products=[{"product_ref": f"sku-{n}", "title": "x", "quantity": 1} for n in range(100)])
    with django_assert_num_queries(len(listing)):
        client.get(LIST)
    with django_assert_num_queries(len(inspecting)):
        client.get(url("inspect", inquiry))


# One question ------------------------------------------------------------------------------------


def test_a_question_with_its_products_today() -> None:
    """CK-4: titles, prices and availability of today; what is gone keeps its title. Words of others run nowhere."""
    page = client_with("view_inquiry").get(url("inspect", a_question(text="Is it <script>alert(1)</script>?")))
    text = page.content.decode()
    assert "<script>alert(1)" not in text
    for words in ("Sencha", "Big", "12.50", "only 3 left", "not at the moment", "not in the shop any more", "Old pot"):
        assert words in text
    assert "Sencha then" not in text
    assert "until 180 days after the answer" in text


def test_a_product_in_general_can_be_ordered_if_one_of_its_options_can() -> None:
    """Asked about without options, where there are some."""
    MemoryCatalog.products["tea"] = replace(PRODUCTS["tea"], choices={"big": "250 g"})
    inquiry = a_question(products=[{"product_ref": "tea", "title": "Sencha"}])
    response = client_with("view_inquiry").get(url("inspect", inquiry))
    assert [line.problem for _row, line in response.context["products"]] == [None]


def test_what_costs_nothing_has_a_price() -> None:
    """Zero is a price, and not unknown."""
    inquiry = a_question(products=[{"product_ref": "free", "title": "Sample"}])
    text = client_with("view_inquiry").get(url("inspect", inquiry)).content.decode()
    assert '<td class="tyl-number">€0.00</td>' in text
    assert '<td class="tyl-number">–</td>' not in text


def test_products_of_an_odd_row_and_no_catalogue(settings: Any) -> None:
    """Never a 500, whatever an older version or a shop's own import wrote."""
    inquiry = a_question()
    client = client_with("view_inquiry")
    Inquiry.objects.update(products=["x", {"title": "y"}, {"product_ref": "\x01"}, {"product_ref": "tea"}])
    assert "Sencha" in client.get(url("inspect", inquiry)).content.decode()
    settings.THANKYOU_WISHLISTS = {}
    assert client.get(url("inspect", inquiry)).status_code == 200


def test_the_answer_is_looked_at_and_sent(commits: Any) -> None:
    """A greeting to begin with, the mail as it will look, and then the mail."""
    inquiry = a_question()
    client = client_with("answer_inquiry")
    page = html.unescape(client.get(url("inspect", inquiry)).content.decode())
    assert "Hello Ada,\n\n\n\nKind regards\nKettle & Fern" in page
    with commits():
        response = client.post(url("inspect", inquiry), {"answer": TEXT, "action": "preview"})
    page = response.content.decode()
    assert response.status_code == 200
    assert "&lt;html lang=&quot;en&quot;" in page.partition("srcdoc=")[2].partition("</iframe>")[0], (
        "escaped as a whole"
    )
    assert "Yes, it is shade-grown." in page
    assert response.context["preview"].subject == "Your question to Kettle & Fern"
    assert not mail.outbox
    assert Inquiry.objects.get().state == "open"
    with commits():
        response = client.post(url("inspect", inquiry), {"answer": TEXT, "action": "send"})
    (message,) = mail.outbox
    assert message.body.startswith(TEXT)
    assert message.to == ["ada0@example.com"]
    inquiry = Inquiry.objects.get()
    assert (inquiry.state, inquiry.answered_by.username) == ("answered", "reader")
    page = client.get(url("inspect", inquiry)).content.decode()
    assert "reader has answered this question." in page
    assert "Sent on" in page


@pytest.mark.parametrize("text", ["", "  \x00", "x" * 5001, "Hello Ada,\r\n\r\n\r\n\r\nKind regards\r\nKettle & Fern"])
def test_an_answer_without_words_is_not_sent(text: str, commits: Any) -> None:
    """422, also for a greeting with nothing in it."""
    inquiry = a_question()
    with commits():
        response = client_with("answer_inquiry").post(url("inspect", inquiry), {"answer": text})
    assert response.status_code == 422
    assert "Please " in response.content.decode() or "at most 5000" in response.content.decode()
    assert Inquiry.objects.get().state == "open"


def test_two_people_answer_at_once(commits: Any) -> None:
    """Only one mail goes; the second is told who was quicker, and keeps what was typed."""
    inquiry = a_question()
    first, second = client_with("answer_inquiry", username="Ida"), client_with("answer_inquiry", username="Bo")
    with commits():
        assert first.post(url("inspect", inquiry), {"answer": TEXT}).status_code == 302
        response = second.post(url("inspect", inquiry), {"answer": "Well, <i>no</i>."})
    page = response.content.decode()
    assert response.status_code == 409
    assert "Ida has answered this question." in page
    assert "Your text, which was not sent" in page
    assert "Well, &lt;i&gt;no&lt;/i&gt;." in page
    assert len(mail.outbox) == 1
    assert second.post(url("close", inquiry)).status_code == 302
    assert Inquiry.objects.get().state == "answered"


def test_answering_what_somebody_deleted(commits: Any) -> None:
    """Said, and nothing typed is lost."""
    inquiry = a_question()
    client = client_with("answer_inquiry")
    address = url("inspect", inquiry)
    Inquiry.objects.all().delete()
    response = client.post(address, {"answer": TEXT})
    assert response.status_code == 409
    assert "Somebody has deleted this question" in response.content.decode()
    assert "Yes, it is shade-grown." in response.content.decode()
    assert client.get(address).status_code == 404


def test_closing_opening_and_answering_again(commits: Any) -> None:
    """The earlier answer stands in the form for the next one."""
    inquiry = a_question()
    client = client_with("answer_inquiry")
    client.post(url("close", inquiry))
    assert "closed without an answer" in client.get(url("inspect", inquiry)).content.decode()
    client.post(url("reopen", inquiry))
    with commits():
        client.post(url("inspect", inquiry), {"answer": TEXT})
    client.post(url("reopen", inquiry))
    page = client.get(url("inspect", inquiry)).content.decode()
    assert "what you send now goes as another mail" in page
    assert "Yes, it is shade-grown." in page
    with commits():
        client.post(url("inspect", inquiry), {"answer": "And vegan."})
    assert len(mail.outbox) == 2
    for step in ("close", "reopen", "send"):
        assert client.get(url(step, inquiry)).status_code == 405


def test_an_answer_that_was_not_sent_is_tried_again(settings: Any, commits: Any) -> None:
    """Kept, shown as not sent in the list and on the page, with a button."""
    inquiry = a_question()
    client = client_with("answer_inquiry")
    backend = settings.EMAIL_BACKEND
    settings.EMAIL_BACKEND = "tests.test_wishlists.test_inquiries.NoServer"
    with commits():
        answer(inquiry=inquiry, text=TEXT, by=None)
    assert "Answered, not sent yet" in client.get(LIST).content.decode()
    assert "Try again" in client.get(url("inspect", inquiry)).content.decode()
    page = client.post(url("send", inquiry), follow=True).content.decode()
    assert "the mail server did not take it" in page
    settings.EMAIL_BACKEND = backend
    page = client.post(url("send", inquiry), follow=True).content.decode()
    assert "The answer is on its way to ada0@example.com." in page
    assert "Try again" not in page
    client.post(url("send", inquiry))
    assert len(mail.outbox) == 1


def test_deleting_is_written_down_without_a_word_of_it() -> None:
    """After a question; the customer's words are in no log."""
    inquiry = a_question()
    client = client_with("delete_inquiry")
    assert "gone for good" in client.get(url("delete", inquiry)).content.decode()
    assert Inquiry.objects.exists()
    assert client.post(url("delete", inquiry))["Location"] == LIST
    assert not Inquiry.objects.exists()
    entry = ModelLogEntry.objects.get()
    assert (entry.action, entry.user.username) == ("thankyou_wishlists.delete_inquiry", "reader")
    assert "shade" not in f"{entry.label}{entry.data}"
    assert entry.message == "Deleted a question from a customer"
