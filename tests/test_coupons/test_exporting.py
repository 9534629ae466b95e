"""Codes as a CSV file: complete, harmless in a spreadsheet, and streamed."""

from __future__ import annotations

import csv
import io
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.utils import timezone, translation

from coupons.bulk import order_batch, work_batch
from coupons.exporting import CHUNK, COLUMNS, export_csv, reason_text, report_csv
from coupons.importing import import_codes
from coupons.issuing import issue
from coupons.links import unlock_path
from coupons.models import Campaign, Coupon, CouponBatch, Redemption
from coupons.redemption import reserve
from coupons.revoking import revoke
from tests.test_coupons.asking import make_locked
from tests.test_coupons.factories import NOW, make_campaign, make_facts

pytestmark = pytest.mark.django_db


def rows_of(**what: Any) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO("".join(export_csv(**what)))))


def test_the_coupons_of_a_batch() -> None:
    campaign = make_campaign(uses_per_coupon=3, ends_at=NOW + timedelta(days=1))
    other = issue(campaign=campaign, now=NOW)
    batch = work_batch(batch=order_batch(campaign=campaign, quantity=3, now=NOW), now=NOW)
    with timezone.override("Europe/Berlin"):
        rows = rows_of(batch=batch)
    assert [row["code"] for row in rows] == [coupon.display_code for coupon in batch.coupons.order_by("pk")]
    assert {tuple(row.values())[1:] for row in rows} == {("available", "0", "3", "", "2026-05-04 14:00:00+02:00")}
    assert len(rows_of(campaign=campaign)) == 4
    assert rows_of(campaign=campaign)[0]["code"] == other.display_code


def test_what_has_no_end_and_no_limit_is_empty() -> None:
    campaign = make_campaign(code_type="word", word="Spring", ends_at=None, limit_per_customer=1)
    [row] = rows_of(campaign=campaign)
    assert (row["code"], row["uses"], row["valid_until"]) == ("Spring", "", "")


def test_a_coupon_s_own_end_is_what_holds() -> None:
    campaign = make_campaign(deadline_minutes=60, ends_at=NOW + timedelta(days=1))
    issue(campaign=campaign, now=NOW)
    assert rows_of(campaign=campaign)[0]["valid_until"].startswith("2026-05-04")


@pytest.mark.parametrize("start", ["=", "+", "-", "@", "\t", "\r", "\0", "＝", "＋", "－", "＠"])
def test_no_formula_comes_out(start: str) -> None:
    """CM-5: the word of a campaign is all that an owner may choose; older rows may hold anything."""
    if start == "\0" and connection.vendor == "postgresql":
        pytest.skip("PostgreSQL stores no NUL, so none can come out")
    campaign = make_campaign()
    Coupon.objects.create(campaign=campaign, code=f"{start}1+1")
    Campaign.objects.filter(pk=campaign.pk).update(word=f"{start}cmd|' /C calc'!A0")
    Coupon.objects.create(campaign=campaign, code="WORD", is_word=True)
    campaign.refresh_from_db()
    assert all(row["code"].startswith("'") for row in rows_of(campaign=campaign))


def test_an_export_can_be_imported_again() -> None:
    """Into another shop, say: same codes, same uses, same ends to the second. The end of the campaign that they came
    from is not theirs.
    """
    campaign = make_campaign(uses_per_coupon=2, deadline_minutes=60, ends_at=NOW + timedelta(days=1))
    work_batch(batch=order_batch(campaign=campaign, quantity=20, now=NOW), now=NOW)
    own = issue(campaign=campaign, now=NOW + timedelta(seconds=7))
    before = set(campaign.coupons.values_list("code", "usage_limit"))
    file = io.BytesIO("".join(export_csv(campaign=campaign)).encode())
    campaign.coupons.all().delete()
    other = make_campaign()
    batch = import_codes(campaign=other, file=file, now=NOW)
    assert (batch.made, batch.refused) == (21, 0)
    assert set(other.coupons.values_list("code", "usage_limit")) == before
    ends = dict(other.coupons.values_list("code", "ends_at"))
    assert ends.pop(own.code) == NOW + timedelta(minutes=60, seconds=7)
    assert set(ends.values()) == {None}


def test_what_was_used_or_revoked_does_not_come_back() -> None:
    """A code whose row is gone is not made anew, unless the owner leaves the columns out."""
    campaign = make_campaign(uses_per_coupon=2)
    used, revoked, fresh = (issue(campaign=campaign, now=NOW) for _ in range(3))
    reserve(code=used.code, order_ref="1", facts=make_facts(), now=NOW)
    revoke(coupon=revoked, actor="user 7", now=NOW)
    text = "".join(export_csv(campaign=campaign))
    known = import_codes(campaign=campaign, file=io.BytesIO(text.encode()), now=NOW)
    assert (known.made, known.repeated, known.refused) == (0, 3, 0)
    Redemption.objects.all().delete()
    Coupon.objects.all().delete()
    batch = import_codes(campaign=make_campaign(), file=io.BytesIO(text.encode()), now=NOW)
    assert batch.rejected == [[2, "used"], [3, "state"]]
    assert [coupon.code for coupon in Coupon.objects.all()] == [fresh.code]
    assert reason_text("used") != "used" and reason_text("state") != "state"


def test_a_locked_code_stays_locked_or_is_not_imported() -> None:
    """CO-9: no export and import answers the questions."""
    coupon = make_locked()
    text = "".join(export_csv(campaign=coupon.campaign)).encode()
    coupon.delete()
    assert import_codes(campaign=make_campaign(), file=io.BytesIO(text), now=NOW).rejected == [[2, "state"]]
    batch = import_codes(campaign=make_locked().campaign, file=io.BytesIO(text), now=NOW)
    assert [each.state for each in batch.coupons.all()] == ["locked"]


def test_the_links_that_unlock() -> None:
    """CO-9: a locked code alone opens nothing; a link leads to its questions."""
    locked = make_locked()
    free = issue(campaign=locked.campaign, locked=False)
    assert "unlock_url" not in rows_of(campaign=locked.campaign)[0]
    found = rows_of(campaign=locked.campaign, address_of=lambda path: f"https://shop.example{path}")
    assert {row["code"]: row["unlock_url"] for row in found} == {
        locked.display_code: f"https://shop.example{unlock_path(locked)}",
        free.display_code: "",
    }


@pytest.mark.parametrize("quantity", [1, CHUNK + 1])
def test_it_is_streamed_with_two_queries(django_assert_num_queries: Any, quantity: int) -> None:
    batch = work_batch(batch=order_batch(campaign=make_campaign(), quantity=quantity, now=NOW), now=NOW)
    batch = CouponBatch.objects.get(pk=batch.pk)
    with django_assert_num_queries(2):
        pieces = list(export_csv(batch=batch))
    assert len(pieces) == 1 + -(-quantity // CHUNK)
    assert sum(piece.count("\r\n") for piece in pieces) == quantity + 1
    assert pieces[0] == ",".join(COLUMNS) + "\r\n"


def test_exactly_one_thing_is_exported() -> None:
    with pytest.raises(TypeError):
        export_csv()
    with pytest.raises(TypeError):
        export_csv(campaign=make_campaign(), batch=CouponBatch())


def test_the_report_of_an_import_is_in_the_owner_s_language() -> None:
    batch = CouponBatch(rejected=[[2, "typo"], [5, "twice"]])
    rows = list(csv.DictReader(io.StringIO("".join(report_csv(batch=batch)))))
    assert [row["row"] for row in rows] == ["2", "5"]
    assert rows[1]["reason"] == "This code stands further up in the file already."
    with translation.override("de"):
        assert reason_text("unknown to us") == "unknown to us"
