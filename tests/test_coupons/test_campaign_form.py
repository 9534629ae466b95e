"""The campaign's form: choices by name, questions, and what does not go together."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.contrib.messages import get_messages
from django.core import checks
from django.test import Client, override_settings
from django.urls import reverse
from django.utils import translation

from coupons.admin.choosing import country_choices
from coupons.admin.scheduling import repeated
from coupons.checks import check_catalog
from coupons.holders import customer_key
from coupons.issuing import issue
from coupons.models import Campaign, Question, UsageCounter
from coupons.redemption import redeem, reserve
from tests.test_coupons.factories import make_campaign, make_coupon, make_facts
from tests.test_coupons.test_admin import ADD, post_data

pytestmark = pytest.mark.django_db


class FewThings:
    """A catalogue with three products."""

    def get_categories(self) -> Sequence[tuple[str, str]]:
        return [("tea", "Tea"), ("cups", "Cups & <pots>")]

    def search_products(self, *, text: str = "", limit: int = 200) -> Sequence[tuple[str, str]]:
        found = [("p1", "Earl Grey"), ("p2", "Assam"), ("p3", "Gaiwan")]
        return [row for row in found if text.casefold() in row[1].casefold()][:limit]


class ManyThings(FewThings):
    """A catalogue with more products than a list shows."""

    def search_products(self, *, text: str = "", limit: int = 200) -> Sequence[tuple[str, str]]:
        found = [(f"m{number}", f"Thing {number}") for number in range(1000)]
        return [row for row in found if text.casefold() in row[1].casefold()][:limit]


class NoCatalog:
    """Lacks what a catalogue needs."""


FEW = {"CATALOG": f"{__name__}.FewThings"}
MANY = {"CATALOG": f"{__name__}.ManyThings"}


@pytest.fixture
def owner() -> Client:
    client = Client()
    client.force_login(User.objects.create_superuser("owner"))
    return client


def errors(response: Any) -> dict[str, Any]:
    assert response.status_code == 200, "it was saved"
    found: dict[str, Any] = response.context["form"].errors
    return found


def saved(response: Any) -> bool:
    assert response.status_code == 302, response.context["form"].errors
    return True


def edit_url(campaign: Campaign) -> str:
    return reverse("thankyou_coupons_campaign:edit", args=[campaign.pk])


# Choices ----------------------------------------------------------------------------------------------------


def test_without_a_catalogue_references_are_typed_one_a_line(owner: Client) -> None:
    """The component does not need to know the shop."""
    with override_settings(THANKYOU_COUPONS={}):
        data = post_data(products_in=" p1 \n\np2\np1", categories_out="tea")
        assert saved(owner.post(reverse(ADD), data))
        campaign = Campaign.objects.get()
        assert (campaign.products_in, campaign.categories_out) == (["p1", "p2"], ["tea"])
        assert "p1\np2" in owner.get(edit_url(campaign)).content.decode()
        too_many = "\n".join(map(str, range(501)))
        assert list(errors(owner.post(reverse(ADD), post_data(products_in=too_many)))) == ["products_in"]
        assert list(errors(owner.post(reverse(ADD), post_data(products_in="x" * 256)))) == ["products_in"]


@override_settings(THANKYOU_COUPONS=FEW)
def test_with_a_catalogue_things_are_ticked_by_name(owner: Client) -> None:
    """The owner sees titles; the column holds references."""
    data = post_data(products_in=["p1", "p3"], categories_in=["cups"])
    assert saved(owner.post(reverse(ADD), data))
    campaign = Campaign.objects.get()
    assert (campaign.products_in, campaign.categories_in) == (["p1", "p3"], ["cups"])
    page = owner.get(edit_url(campaign)).content.decode()
    assert "Earl Grey" in page
    assert "Cups &amp; &lt;pots&gt;" in page
    assert list(errors(owner.post(reverse(ADD), post_data(products_in=["nonsense"])))) == ["products_in"]


@override_settings(THANKYOU_COUPONS=FEW)
def test_what_the_shop_no_longer_has_is_kept_and_shown(owner: Client) -> None:
    """Saving something else does not silently widen a campaign."""
    campaign = make_campaign(products_in=["gone"], categories_out=["old"])
    page = owner.get(edit_url(campaign)).content.decode()
    assert 'value="gone"' in page
    data = post_data(title="New", products_in=["gone", "p2"], categories_out=["old"])
    assert saved(owner.post(edit_url(campaign), data))
    campaign.refresh_from_db()
    assert (campaign.products_in, campaign.categories_out) == (["gone", "p2"], ["old"])


@override_settings(THANKYOU_COUPONS=MANY)
def test_in_a_large_catalogue_products_are_found_by_name(owner: Client) -> None:
    """The list shows the first ones; the script asks for others, and the form takes them."""
    assert "Thing 199" in owner.get(reverse(ADD)).content.decode()
    found = owner.get(reverse("thankyou_coupons_campaign:products"), {"q": "thing 77"}).json()["products"]
    assert {"ref": "m777", "title": "Thing 777"} in found
    assert saved(owner.post(reverse(ADD), post_data(products_in=["m777"])))
    assert Campaign.objects.get().products_in == ["m777"]
    wrong = owner.post(reverse(ADD), post_data(title="", products_in=["m778"]))
    assert 'value="m778"' in wrong.content.decode(), "what was chosen is not lost by another field's error"
    assert owner.get(reverse("thankyou_coupons_campaign:products")).json() == {"products": []}


def test_countries_have_names() -> None:
    """ISO 3166-1 alpha-2 with the names of the active language."""
    with translation.override("de"):
        choices = dict(country_choices())
    assert choices["DE"] == "Deutschland"
    assert not {"EU", "ZZ", "UN"} & choices.keys()
    assert 240 < len(choices) < 260


def test_countries_and_currency_are_chosen(owner: Client) -> None:
    """An unknown country that is stored stays; one that is posted does not get in."""
    campaign = make_campaign(countries=["IC"], currency="CHF")
    page = owner.get(edit_url(campaign)).content.decode()
    assert 'value="IC"' in page
    assert 'value="CHF" selected' in page
    assert saved(owner.post(edit_url(campaign), post_data(countries=["DE", "IC"], currency="EUR")))
    campaign.refresh_from_db()
    assert (sorted(campaign.countries), campaign.currency) == (["DE", "IC"], "EUR")
    found = errors(owner.post(reverse(ADD), post_data(countries=["Germany"], currency="XXX")))
    assert set(found) == {"countries", "currency"}


@pytest.mark.parametrize(
    ("path", "ids"),
    [
        ("", []),
        (FEW["CATALOG"], []),
        (f"{__name__}.NoCatalog", ["thankyou_coupons.E005"]),
        ("nowhere.Catalog", ["thankyou_coupons.E005"]),
        (f"{__name__}.FEW", ["thankyou_coupons.E005"]),
    ],
)
def test_a_catalogue_that_is_none_is_named(path: str, ids: list[str]) -> None:
    """DESIGN D11."""
    with override_settings(THANKYOU_COUPONS={"CATALOG": path}):
        assert [message.id for message in check_catalog()] == ids
    assert check_catalog in checks.registry.registry.registered_checks


# Questions --------------------------------------------------------------------------------------------------


def question_data(*labels: str, **changes: Any) -> dict[str, Any]:
    data: dict[str, Any] = {"questions-TOTAL_FORMS": str(len(labels))}
    for number, label in enumerate(labels):
        row = {
            "label": label,
            "field_type": "singleline",
            "purpose": "To know you better.",
            "keep_days": "30",
            "ORDER": str(number + 1),
            "id": "",
        } | changes
        data |= {f"questions-{number}-{name}": value for name, value in row.items()}
    return data


def test_questions_are_set_up_with_the_campaign(owner: Client) -> None:
    """CO-9: in the owner's order, each with why and how long."""
    data = post_data(ask_text="Two questions.", **question_data("Favourite tea?", "Your town?"))
    assert saved(owner.post(reverse(ADD), data))
    questions = list(Campaign.objects.get().questions.all())
    assert [(each.label, each.purpose, each.keep_days) for each in questions] == [
        ("Favourite tea?", "To know you better.", 30),
        ("Your town?", "To know you better.", 30),
    ]


def test_a_question_says_why_it_is_asked(owner: Client) -> None:
    """CO-9, GDPR art. 13: the purpose is not optional."""
    response = owner.post(reverse(ADD), post_data(**question_data("Your town?", purpose="")))
    assert response.status_code == 200
    assert not Campaign.objects.exists()


def test_a_public_word_cannot_wait_for_answers(owner: Client) -> None:
    """CO-8, CO-9: it is everybody's."""
    data = post_data(code_type="word", word="SPRINGTEA", limit_per_customer="1", **question_data("Your town?"))
    found = errors(owner.post(reverse(ADD), data))
    assert list(found) == ["code_type"]
    assert "everybody" in found["code_type"][0]


def test_the_same_question_twice_is_refused(owner: Client) -> None:
    """CO-9: it would be asked only once."""
    response = owner.post(reverse(ADD), post_data(**question_data("Your town?", "Your tea?", " your  TOWN? ")))
    assert errors(response) == {}, "nothing on top, where nobody knows which two are meant"
    questions = response.context["form"].formsets["questions"]
    assert [list(form.errors) for form in questions.forms] == [[], [], ["label"]]
    assert "words of another one" in questions.forms[2].errors["label"][0]
    assert "words of another one" in response.content.decode()


def test_questions_without_words_are_not_the_same(owner: Client) -> None:
    """One message for each: that it is missing."""
    response = owner.post(reverse(ADD), post_data(**question_data("", "")))
    assert response.status_code == 200
    for form in response.context["form"].formsets["questions"].forms:
        assert len(form.errors["label"]) == 1
        assert "required" in form.errors["label"][0]


def test_a_removed_question_does_not_count(owner: Client) -> None:
    """A campaign may be changed to a word once its questions are removed."""
    campaign = make_campaign()
    question = Question.objects.create(campaign=campaign, label="Your town?", purpose="x", sort_order=0)
    data = post_data(code_type="word", word="SPRINGTEA", limit_per_customer="1", **question_data("Your town?"))
    data |= {"questions-INITIAL_FORMS": "1", "questions-0-id": str(question.pk)}
    assert list(errors(owner.post(edit_url(campaign), data))) == ["code_type"]
    assert saved(owner.post(edit_url(campaign), data | {"questions-0-DELETE": "on"}))
    assert not Question.objects.exists()


# Words, limits, schedule ------------------------------------------------------------------------------------


def test_a_word_without_a_limit_is_refused_unless_confirmed(owner: Client) -> None:
    """CO-8: words are guessable, and the form says so."""
    assert "Anybody can guess" in owner.get(reverse(ADD)).content.decode()
    found = errors(owner.post(reverse(ADD), post_data(code_type="word", word="SPRINGTEA")))
    assert found
    data = post_data(code_type="word", word="SPRINGTEA", is_unlimited="on")
    assert saved(owner.post(reverse(ADD), data))


@pytest.mark.parametrize(
    ("kind", "limit", "counted"),
    [
        ({}, "total_limit", [""]),
        ({"code_type": "word", "word": "SPRINGTEA", "is_unlimited": True}, "limit_per_customer", ["a@example.com"]),
    ],
)
def test_a_limit_that_comes_later_counts_what_was_used_before(
    owner: Client, kind: dict[str, Any], limit: str, counted: list[str]
) -> None:
    """CO-1: the third use of a limit of two is refused, whenever the limit was set."""
    coupon = issue(campaign=make_campaign(**{"uses_per_coupon": 10, **kind}))
    for number in range(2):
        facts = make_facts(customer_key=customer_key("a@example.com"))
        reserve(code=coupon.code, order_ref=str(number), facts=facts)
        redeem(order_ref=str(number))
    assert not UsageCounter.objects.exists()
    data = post_data(uses_per_coupon="10", **{**kind, limit: "5"})
    assert saved(owner.post(edit_url(coupon.campaign), data))
    used = dict(UsageCounter.objects.filter(campaign=coupon.campaign).values_list("customer_key", "used"))
    assert used == {customer_key(email) if email else "": 2 for email in counted}


def test_what_the_form_hides_is_dropped(owner: Client) -> None:
    """A word that is left from another choice, or a deadline of single codes, is no error of the owner's."""
    assert saved(owner.post(reverse(ADD), post_data(word="SPRINGTEA", is_unlimited="on")))
    assert Campaign.objects.get().word == ""
    data = post_data(code_type="word", word="SPRINGTEA", total_limit="5", deadline_minutes="60", personal="on")
    assert saved(owner.post(reverse(ADD), data))
    campaign = Campaign.objects.get(code_type="word")
    assert (campaign.personal, campaign.deadline_minutes) == (False, None)


DAY = timedelta(days=1)
TODAY = datetime(2026, 5, 1, tzinfo=UTC)


@pytest.mark.parametrize(
    ("other", "is_repeated"),
    [
        ({"starts_at": TODAY + 5 * DAY, "ends_at": TODAY + 9 * DAY}, True),
        ({"starts_at": TODAY + 39 * DAY}, True),
        ({"starts_at": TODAY + 40 * DAY}, False),
        ({"starts_at": TODAY - 90 * DAY, "ends_at": TODAY - 29 * DAY}, True),
        ({"starts_at": TODAY - 90 * DAY, "ends_at": TODAY - 30 * DAY}, False),
        ({"starts_at": TODAY + 5 * DAY, "percent": 20}, False),
        ({"starts_at": TODAY + 5 * DAY, "deadline_minutes": None}, False),
        ({"starts_at": TODAY - 90 * DAY, "status": "ended"}, False),
    ],
)
def test_the_same_deadline_again_is_seen(other: dict[str, Any], is_repeated: bool) -> None:
    """CD-4: the same benefit with a personal deadline rests for 30 days."""
    same = {"benefit": "percent", "percent": 10, "deadline_minutes": 60}
    campaign = make_campaign(**same, starts_at=TODAY, ends_at=TODAY + 10 * DAY)
    rival = make_campaign(**{**same, **other})
    assert repeated(campaign=campaign) == ([rival] if is_repeated else [])
    assert repeated(campaign=make_campaign(benefit="percent", percent=10)) == []


def test_a_campaign_that_was_ended_counts_up_to_its_last_deadline() -> None:
    """CD-4: ending one and beginning the same anew is a restart."""
    same: dict[str, Any] = {"benefit": "percent", "percent": 10, "deadline_minutes": 60}
    old = make_coupon(**same, now=TODAY, starts_at=TODAY - DAY).campaign
    Campaign.objects.filter(pk=old.pk).update(status="ended")
    assert repeated(campaign=make_campaign(**same, starts_at=TODAY + 20 * DAY)) == [old]
    assert repeated(campaign=make_campaign(**same, starts_at=TODAY + 60 * DAY, ends_at=TODAY + 61 * DAY)) != [old]


def test_the_owner_is_warned_after_saving(owner: Client) -> None:
    """CD-4: a warning, and not a refusal."""
    make_campaign(title="The first", deadline_minutes=60)
    response = owner.post(reverse(ADD), post_data(deadline_minutes="90"))
    assert response.status_code == 302
    said = [(message.level_tag, str(message)) for message in get_messages(response.wsgi_request)]
    assert any("warning" in level and "The first" in text for level, text in said), said
