"""Answers in the admin: read, filtered, exported and erased (CO-9)."""

from __future__ import annotations

import csv
import io
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import Permission, User
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from wagtail.models import ModelLogEntry

from coupons.admin import answers
from coupons.holders import customer_key, user_key
from coupons.models import Answer, Campaign, Coupon
from tests.test_coupons.asking import TRUSTING
from tests.test_coupons.factories import make_campaign

pytestmark = pytest.mark.django_db

LIST = "thankyou_coupons_answer:index"
EXPORT = "thankyou_coupons_answer:export"
ERASE = "thankyou_coupons_answer:erase"


def client_with(*codenames: str) -> Client:
    user = User.objects.create_user("reader")
    user.user_permissions.set(Permission.objects.filter(codename__in=["access_admin", *codenames]))
    client = Client()
    client.force_login(user)
    return client


def make_answer(
    email: str = "ada@example.com", name: str = "tea", value: Any = "Green", *, days: int = 30, campaign: Any = None
) -> Answer:
    return Answer.objects.create(
        holder_key=customer_key(email),
        question_name=name,
        label=f"Which {name}?",
        purpose="To know you better.",
        value=value,
        campaign=campaign,
        delete_after=timezone.now() + timedelta(days=days),
    )


def rows(response: Any) -> list[list[str]]:
    assert response.status_code == 200
    assert response["Content-Type"].startswith("text/csv")
    return list(csv.reader(io.StringIO(b"".join(response.streaming_content).decode("utf-8-sig"))))


def test_answers_are_listed_without_the_address() -> None:
    """CO-9: what was said, why it was asked and how long it is kept."""
    answer = make_answer(value=["Green", "Black"])
    make_answer("bob@example.com", value="Long ago", days=-1)
    page = client_with("view_answer").get(reverse(LIST)).content.decode()
    assert "Green, Black" in page
    assert "Long ago" not in page, "its time is over, also before the clean-up has come"
    assert answer.holder_key not in page
    inspect = reverse("thankyou_coupons_answer:inspect", args=[answer.pk])
    assert inspect in page


def test_answers_are_filtered_by_campaign_and_question() -> None:
    """Also in the export."""
    client = client_with("view_answer")
    autumn, spring = make_campaign(title="Autumn"), make_campaign(title="Spring")
    first = make_answer(name="tea", campaign=autumn)
    second = make_answer(name="town", campaign=spring)
    for query, found in (
        ({"campaign": autumn.pk}, [first]),
        ({"question_name": "town"}, [second]),
        ({"campaign": autumn.pk, "question_name": "town"}, []),
        ({}, [second, first]),
    ):
        assert list(client.get(reverse(LIST), query).context["object_list"]) == found
        address = reverse(EXPORT) + "?" + "&".join(f"{key}={value}" for key, value in query.items())
        assert len(rows(client.post(address))) == 1 + len(found)


def test_the_list_costs_the_same_for_any_number(
    django_assert_num_queries: Any, django_assert_max_num_queries: Any
) -> None:
    """1 row and 20."""
    client = client_with("view_answer")
    make_answer(campaign=make_campaign())
    client.get(reverse(LIST))
    with django_assert_max_num_queries(14) as before:
        client.get(reverse(LIST))
    for number in range(19):
        make_answer(f"{number}@example.com", name=f"q{number}", campaign=make_campaign())
    with django_assert_num_queries(len(before)):
        client.get(reverse(LIST))


def test_the_export_runs_in_no_spreadsheet_and_is_written_down() -> None:
    """CM-5, CM-4: and looking at its page changes nothing."""
    client = client_with("view_answer")
    make_answer(value='=HYPERLINK("http://evil")')
    assert "one answer" in client.get(reverse(EXPORT)).content.decode()
    assert not ModelLogEntry.objects.exists()
    response = client.post(reverse(EXPORT))
    _head, row = rows(response)
    assert "'=HYPERLINK" in row[2]
    assert "no-store" in response["Cache-Control"]
    entry = ModelLogEntry.objects.get()
    assert (entry.action, entry.user.username) == ("thankyou_coupons.export_answers", "reader")
    assert entry.data["count"] == 1
    assert entry.message == "Exported one answer"


def test_one_customers_answers_are_erased_by_address() -> None:
    """GDPR art. 17: all of this customer's, none of another's; coupons stay; how many is written down, not whose."""
    client = client_with("view_answer", "delete_answer")
    coupon = Coupon.objects.create(campaign=make_campaign(), holder_key=customer_key("ada@example.com"))
    make_answer(name="tea")
    make_answer(name="town", days=-1)
    kept = make_answer("bob@example.com")
    assert client.get(reverse(ERASE)).status_code == 200
    assert Answer.objects.count() == 3
    response = client.post(reverse(ERASE), {"email": " ADA@example.com"}, follow=True)
    assert "2 answers are erased" in response.content.decode()
    assert list(Answer.objects.all()) == [kept]
    assert Coupon.objects.get() == coupon
    entry = ModelLogEntry.objects.get()
    assert (entry.action, entry.data) == ("thankyou_coupons.erase_answers", {"count": 2})
    assert "ada" not in str(entry.data) + entry.label


def test_an_address_leads_to_its_account_too(settings: Any) -> None:
    """GDPR art. 17: what the page says is deleted is deleted; an account that has not proved its address is not."""
    settings.THANKYOU_COUPONS = TRUSTING
    ada = User.objects.create_user("ada", email="Ada@Example.com")
    own = make_answer(name="town")
    own.holder_key = user_key(ada)
    own.save()
    client = client_with("view_answer", "delete_answer")
    assert "proved this address" in client.get(reverse(ERASE)).content.decode()
    settings.THANKYOU_COUPONS = {}
    assert "No answers" in client.post(reverse(ERASE), {"email": ada.email}, follow=True).content.decode()
    settings.THANKYOU_COUPONS = TRUSTING
    assert "One answer is erased" in client.post(reverse(ERASE), {"email": ada.email}, follow=True).content.decode()
    assert not Answer.objects.exists()


def test_the_export_has_what_the_search_has_found() -> None:
    """The button hands on the text, and the file has the same rows as the list."""
    client = client_with("view_answer")
    found = make_answer(name="tea")
    make_answer(name="town")
    page = client.get(reverse(LIST), {"q": "TEA"})
    assert list(page.context["object_list"]) == [found]
    assert reverse(EXPORT) + "?q=TEA" in page.content.decode()
    assert "one answer" in client.get(reverse(EXPORT), {"q": "TEA"}).content.decode()
    _head, row = rows(client.post(reverse(EXPORT) + "?q=TEA"))
    assert row[1] == "Which tea?"


def test_an_answer_whose_time_is_over_has_no_page() -> None:
    """CO-9: as the customer was told, also before the clean-up has come."""
    client = client_with("view_answer")
    inspect = reverse("thankyou_coupons_answer:inspect", args=[make_answer().pk])
    assert client.get(inspect).status_code == 200
    Answer.objects.update(delete_after=timezone.now())
    assert client.get(inspect).status_code == 404


def test_the_filter_offers_each_question_once_in_its_latest_words(django_assert_num_queries: Any) -> None:
    """Asked of the database, which hands over no answers; none whose time is over."""
    make_answer("old@example.com")
    Answer.objects.update(label="How about tea?")
    make_answer()
    make_answer(name="bygone", days=-1)
    make_answer(name="Cups")
    with django_assert_num_queries(1):
        assert answers._question_choices() == [("Cups", "Which Cups?"), ("tea", "Which tea?")]


def test_erasing_nothing_says_so() -> None:
    """An address without answers, or a typing error."""
    client = client_with("view_answer", "delete_answer")
    make_answer()
    page = client.post(reverse(ERASE), {"email": "eve@example.com"}, follow=True).content.decode()
    assert "No answers were found by this address." in page
    assert list(client.post(reverse(ERASE), {"email": "eve"}).context["form"].errors) == ["email"]
    assert Answer.objects.exists()
    assert not ModelLogEntry.objects.exists()


@pytest.mark.parametrize("permission", ["view_coupon", "export_coupon", "change_campaign", ""])
def test_reading_answers_is_a_permission_of_its_own(permission: str) -> None:
    """CM-4: who gives out coupons does not read what customers said, nor by raw POST."""
    client = client_with(permission)
    answer = make_answer()
    inspect = reverse("thankyou_coupons_answer:inspect", args=[answer.pk])
    for url in (reverse(LIST), reverse(EXPORT), inspect):
        assert client.get(url)["Location"] == reverse("wagtailadmin_home")
    assert client.post(reverse(EXPORT))["Location"] == reverse("wagtailadmin_home")
    assert not ModelLogEntry.objects.exists()


def test_erasing_answers_is_a_permission_of_its_own() -> None:
    """CM-4: reading is not erasing."""
    client = client_with("view_answer")
    make_answer()
    assert reverse(ERASE) not in client.get(reverse(LIST)).content.decode()
    assert client.get(reverse(ERASE))["Location"] == reverse("wagtailadmin_home")
    client.post(reverse(ERASE), {"email": "ada@example.com"})
    assert Answer.objects.exists()


def test_a_campaign_that_is_gone_leaves_its_answers() -> None:
    """What was said is shown without it."""
    campaign: Campaign = make_campaign()
    make_answer(campaign=campaign)
    campaign.delete()
    assert client_with("view_answer").get(reverse(LIST)).status_code == 200
