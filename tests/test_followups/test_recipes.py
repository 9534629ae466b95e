"""Ready-made follow-ups: all off, all true, and each can be shown and switched on as it is (EM-11)."""

from __future__ import annotations

import re

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import translation

from tests.test_followups.admin_world import client_with
from thankyou_flows.admin.followup_form import texts_of
from thankyou_flows.admin.recipes import RECIPES, Recipe, build
from thankyou_flows.admin.switching import why_not_on
from thankyou_flows.followups.triggers import get_trigger
from thankyou_flows.mail.placeholders import validate_placeholders
from thankyou_flows.mail.samples import SAMPLES, sample_facts
from thankyou_flows.models import FollowUp, MessageKind

pytestmark = pytest.mark.django_db

ADDRESS = "thankyou_flows_followup:recipes"
IDS = [recipe.key for recipe in RECIPES]
PRESSURE = re.compile(r"don.t miss|hurry|last chance|only today|act now|limited|!|exclusive|guaranteed", re.I)


@pytest.fixture
def owner() -> Client:
    return client_with(superuser=True)


def test_those_that_shops_ask_for_are_there() -> None:
    triggers = {(recipe.trigger, recipe.mails[0].days) for recipe in RECIPES}
    assert triggers == {
        ("order_delivered", 3),
        ("review_wanted", 14),
        ("coupon_unused", 5),
        ("coupon_expiring", 2),
        ("list_untouched", 14),
        ("customer_quiet", 90),
    }
    assert [len(recipe.mails) for recipe in RECIPES if recipe.trigger == "customer_quiet"] == [2]


@pytest.mark.parametrize("recipe", RECIPES, ids=IDS)
def test_it_may_be_switched_on_as_it_is(recipe: Recipe) -> None:
    follow_up = build(recipe)
    follow_up.save()
    follow_up = FollowUp.objects.get()
    assert not follow_up.is_on
    assert follow_up.switched_on_at is None
    assert follow_up.kind == MessageKind.FOLLOW_UP
    assert get_trigger(follow_up.trigger) is not None
    assert why_not_on(follow_up) == ""
    assert [step.delay for step in follow_up.steps.all()] == [mail.days for mail in recipe.mails]


@pytest.mark.parametrize("recipe", RECIPES, ids=IDS)
def test_its_words_put_nobody_under_pressure(recipe: Recipe) -> None:
    for step in build(recipe).steps.all():
        for text in (step.subject, step.preheader, *texts_of(step.body)):
            validate_placeholders(text)
            assert not PRESSURE.search(text), text
            # Nothing is left for the owner to fill in: it may be switched on as it is.
            assert "(" not in text
        assert len(step.subject) <= 60


#: True only with the delay that the recipe came with, or only if nothing else is ever sent.
UNTRUE_SOON = re.compile(
    r"\b(week|weeks|month|months|days|hours|tomorrow)\b|last (letter|hello)|leave you in peace", re.I
)


@pytest.mark.parametrize("recipe", RECIPES, ids=IDS)
def test_its_words_stay_true_when_its_delay_is_changed(recipe: Recipe) -> None:
    """EM-11: an owner changes a number, not the text."""
    for step in build(recipe).steps.all():
        for text in (step.subject, step.preheader, *texts_of(step.body)):
            assert not UNTRUE_SOON.search(text), text


@pytest.mark.parametrize("recipe", RECIPES, ids=IDS)
def test_it_can_be_written_for_every_sample(recipe: Recipe) -> None:
    from thankyou_flows.followups.composing import render_step

    follow_up = build(recipe)
    follow_up.save()
    for step in FollowUp.objects.get().steps.all():
        for sample in SAMPLES:
            mail = render_step(step, facts=sample_facts(sample), kind=follow_up.kind)
            assert mail.subject
            assert mail.text
            assert "{" not in mail.subject


def test_the_owner_takes_one(owner: Client) -> None:
    page = owner.get(reverse(ADDRESS)).content.decode()
    for recipe in RECIPES:
        assert str(recipe.title).replace("'", "&#x27;") in page
    assert not FollowUp.objects.exists()
    response = owner.post(reverse(ADDRESS), {"recipe": "care"})
    follow_up = FollowUp.objects.get()
    assert response["Location"] == reverse("thankyou_flows_followup:edit", args=[follow_up.pk])
    assert not follow_up.is_on
    edit = owner.get(response["Location"])
    assert edit.status_code == 200
    assert "Thanks and care tips" in edit.content.decode()


def test_it_speaks_the_language_of_whoever_takes_it() -> None:
    with translation.override("de"):
        follow_up = build(RECIPES[0])
    assert isinstance(follow_up.title, str)


@pytest.mark.parametrize("posted", ["", "nothing", "care'"])
def test_what_is_no_recipe_makes_nothing(owner: Client, posted: str) -> None:
    assert owner.post(reverse(ADDRESS), {"recipe": posted}).status_code == 200
    assert not FollowUp.objects.exists()
