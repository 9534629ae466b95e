"""Every model of the three apps is classified, and so is every field that could say something about a person (EM-13)."""

from __future__ import annotations

import re
from typing import Any

import pytest
from django.apps import apps
from django.conf import settings
from django.db import models
from django.db.models import Q

from tests.test_privacy.world import our_models
from thankyou_flows.privacy import registry
from thankyou_flows.privacy.known import KNOWN
from thankyou_flows.privacy.person import Person
from thankyou_flows.privacy.registry import Erasure, NotPersonal, PersonalModel, entries

#: Names of fields that hold something about a person more often than not.
SUSPICIOUS = re.compile(
    r"(^|_)(email|mail|key|name|note|notes|answer|text|ip|address|phone|value|user|owner|customer|holder|context|detail|"
    r"guest|cookies|comment)(_|$)"
)
#: In these, words and names are the shop's own.
SHOPS_OWN = {"thankyou_coupons.campaign", "thankyou_coupons.question", "thankyou_flows_pages.thankyoupage"}


def label_of(model: Any) -> str:
    return str(model._meta.label_lower)


def looks_personal(field: models.Field[Any, Any], *, strict: bool) -> bool:
    """Say whether a field must be named. ``strict``, in rows of persons: any text and any JSON; else what its type or
    name suggests.
    """
    if isinstance(field, models.EmailField | models.GenericIPAddressField):
        return True
    if field.is_relation and field.related_model._meta.label == settings.AUTH_USER_MODEL:
        return True
    is_text = isinstance(field, models.CharField | models.TextField | models.JSONField) and not field.choices
    if field.name.endswith("_currency"):
        return False
    return is_text and (strict or bool(SUSPICIOUS.search(field.name)) or isinstance(field, models.JSONField))


def complaints(model: Any) -> list[str]:
    """Return what is missing from the entry of a model."""
    entry = entries().get(label_of(model))
    if entry is None:
        return [f"{label_of(model)} is not classified"]
    if label_of(model) in SHOPS_OWN:
        return []
    named = {*entry.other}
    if isinstance(entry, PersonalModel):
        named |= {*entry.personal}
    strict = isinstance(entry, PersonalModel)
    fields = [field for field in model._meta.concrete_fields if looks_personal(field, strict=strict)]
    return [f"{label_of(model)}.{field.name} is not named" for field in fields if field.name not in named]


def test_every_model_is_classified() -> None:
    """EM-13: a model or a field that is not in the table fails here."""
    assert len(our_models()) > 25
    assert [line for model in our_models() for line in complaints(model)] == []


def test_the_check_can_fail(monkeypatch: pytest.MonkeyPatch) -> None:
    """A model that is not there, and a field that nobody named."""
    contact = apps.get_model("thankyou_flows.Contact")
    less = PersonalModel(
        model="thankyou_flows.Contact", find=lambda person: Q(pk=1), personal=(), erasure=Erasure.DELETE, why=""
    )
    registry.register(less)
    try:
        assert "thankyou_flows.contact.email is not named" in complaints(contact)
    finally:
        registry.unregister("thankyou_flows.Contact")
    known = tuple(entry for entry in KNOWN if entry.model != "thankyou_flows.Contact")
    monkeypatch.setattr("thankyou_flows.privacy.known.KNOWN", known)
    assert complaints(contact) == ["thankyou_flows.contact is not classified"]


def test_user_relations_are_noticed() -> None:
    """A relation to an account is personal, or the table says why not."""
    batch = apps.get_model("thankyou_coupons.CouponBatch")
    assert looks_personal(batch._meta.get_field("created_by"), strict=False)


@pytest.mark.parametrize("entry", KNOWN, ids=lambda entry: entry.model)
def test_the_table_names_what_exists(entry: Any) -> None:
    """No entry speaks of models or fields that are gone, and each says why."""
    model = apps.get_model(entry.model)
    names = {field.name for field in model._meta.get_fields()}
    assert set(entry.other) <= names
    assert str(entry.why)
    if isinstance(entry, PersonalModel):
        assert {*entry.personal, *entry.left_out, *entry.blank} <= names
        assert entry.blank or entry.erase or entry.erasure is not Erasure.BLANK


def test_nobody_is_not_everybody() -> None:
    """An entry finds nothing for a person of whom nothing is known."""
    for entry in registry.personal_models():
        assert str(entry.find(Person())), entry.model


def test_a_condition_that_is_true_of_everybody_is_refused() -> None:
    """A shop's mistake must not erase its whole table."""
    entry = PersonalModel(
        model="thankyou_flows.Contact", find=lambda person: Q(), personal=(), erasure=Erasure.DELETE, why=""
    )
    with pytest.raises(ValueError, match="everybody"):
        entry.rows(Person())


def test_models_of_apps_that_are_not_installed_are_left_out() -> None:
    """A shop without wish lists has nothing to say of them; a shop's own models are added."""
    registry.register(NotPersonal(model="nowhere.Thing", why="not there"))
    try:
        assert "nowhere.thing" not in entries()
    finally:
        registry.unregister("nowhere.Thing")
