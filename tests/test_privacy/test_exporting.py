"""Everything that is known of a person, in one document (EM-13; GDPR 15, 20)."""

from __future__ import annotations

import json
from typing import Any

import pytest
from django.contrib.auth import get_user_model
from django.db import connection
from django.test.utils import CaptureQueriesContext

from tests.test_privacy.world import EMAIL, MARKER, NOW, PROVED, make_person
from thankyou_flows.privacy.exporting import export_person
from thankyou_flows.privacy.person import find_person
from thankyou_flows.privacy.registry import personal_models
from thankyou_flows.privacy.signals import person_export_requested

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _proved(settings: Any) -> None:
    settings.THANKYOU_COUPONS = PROVED


def test_a_person_has_rows_in_every_personal_model() -> None:
    """EM-13: a model that is missing in the tests' world fails here."""
    make_person()
    person = find_person(email=EMAIL)
    assert [entry.model for entry in personal_models() if not entry.rows(person).exists()] == []


def test_the_export_holds_every_marker() -> None:
    """EM-13: every field of every row that says something about the person, except what is named with a reason."""
    make_person()
    found = export_person(email=EMAIL, now=NOW)["data"]
    person = find_person(email=EMAIL)
    for entry in personal_models():
        if entry.not_exported:
            assert entry.model.lower() not in found
            continue
        rows = found[entry.model.lower()]["rows"]
        assert len(rows) == entry.rows(person).count()
        for field in entry.personal:
            assert field in entry.left_out or all(field in row for row in rows), (entry.model, field)
        for row, plain in zip(entry.rows(person).values(), rows, strict=True):
            marked = [
                name for name, value in row.items() if MARKER in str(value).lower() and name not in entry.left_out
            ]
            assert all(MARKER in str(plain[name]).lower() for name in marked)


def test_the_export_is_json_and_says_what_it_is() -> None:
    """GDPR 20: structured and machine-readable, with words beside the names of tables."""
    make_person()
    text = json.dumps(export_person(email=EMAIL, now=NOW), ensure_ascii=False)
    export = json.loads(text)
    assert export["format"] == "thankyou-flows.person/1"
    assert export["made_at"] == NOW.isoformat()
    assert export["data"]["thankyou_coupons.coupon"]["what"] == "coupons"
    assert export["data"]["thankyou_coupons.coupon"]["rows"][0]["worth"] == "Free shipping"
    assert export["data"]["thankyou_flows.subscription"]["rows"][0]["mailing_list"] == "List N0"
    assert export["data"]["thankyou_flows.orderrecord"]["rows"][0]["total"] == {"amount": "5.00", "currency": "EUR"}


def test_no_keys_nor_secrets_are_handed_over() -> None:
    """TY-4: what opens a link, and what recognises an address, is not in a file that travels."""
    made = make_person()
    text = json.dumps(export_person(email=EMAIL, now=NOW)["data"])
    assert "token_hash" not in text
    assert '"email_key"' not in text and '"holder_key"' not in text and '"cookies"' not in text
    assert f'"customer_key": "{made.key}"' not in text


def test_the_number_of_queries_is_constant() -> None:
    """DESIGN §6: for one row of each, and for twenty."""
    make_person(times=1)
    make_person(times=20, email="bob@example.com", marker="bob", number="B")
    costs = []
    for email in (EMAIL, "bob@example.com"):
        with CaptureQueriesContext(
            connection,
        ) as queries:
            export_person(email=email, now=NOW)
        costs.append(len(queries))
    assert costs[0] == costs[1] <= 30


def test_another_person_is_not_in_it() -> None:
    """CO-6: neither rows of others, nor those of an account that only claims the address."""
    make_person()
    make_person(email="bob@example.com", marker="bobmarker", number="B")
    assert "bob" not in json.dumps(export_person(email=EMAIL, now=NOW)).lower()


def test_an_account_that_only_claims_the_address_is_left_out(settings: Any) -> None:
    """CO-6: anybody can open an account with somebody else's address; who has checked it gives both."""
    made = make_person()
    settings.THANKYOU_COUPONS = {}
    assert "thankyou_wishlists.productlist" not in export_person(email=EMAIL)["data"]
    assert "thankyou_flows.contact" not in export_person(user=made.user)["data"]
    both = export_person(email=EMAIL, user=made.user)["data"]
    assert {"thankyou_wishlists.productlist", "thankyou_flows.contact"} <= set(both)


def test_by_account_alone_its_proved_address_counts() -> None:
    """EM-13: per e-mail address or per account."""
    made = make_person()
    assert export_person(user=made.user, now=NOW)["data"] == export_person(email=EMAIL, now=NOW)["data"]


def test_nobody_is_known() -> None:
    """An address that nobody has used gives an empty export; none at all is a mistake."""
    make_person()
    assert export_person(email="nobody@example.com")["data"] == {}
    assert export_person(user=get_user_model().objects.create_user("new"))["data"] == {}
    with pytest.raises(ValueError, match="email or user"):
        export_person()


def test_a_shop_adds_what_it_knows() -> None:
    """A receiver's answer is part of the export; one that fails breaks it, since half would pass for all."""

    def orders_of_shop(person: Any, **_: Any) -> dict[str, Any]:
        return {"orders": [person.emails[0]]}

    def broken(**_: Any) -> None:
        raise LookupError("no such table")

    person_export_requested.connect(orders_of_shop)
    try:
        [added] = export_person(email=EMAIL)["more"].values()
        assert added == {"orders": [EMAIL]}
        person_export_requested.connect(broken)
        with pytest.raises(LookupError):
            export_person(email=EMAIL)
    finally:
        person_export_requested.disconnect(orders_of_shop)
        person_export_requested.disconnect(broken)


@pytest.mark.parametrize("typed", [EMAIL.upper(), f"  {EMAIL} ", f"{MARKER}.ANN@Example.COM"])
def test_the_address_is_found_however_it_is_written(typed: str) -> None:
    """CO-10: one normalisation for all three apps."""
    make_person()
    known, found = export_person(email=EMAIL, now=NOW)["data"], export_person(email=typed, now=NOW)["data"]
    assert found == known
