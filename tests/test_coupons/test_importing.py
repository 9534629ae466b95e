"""Codes from a file: every row taken, known, or refused with a reason; and the same file again changes nothing."""

from __future__ import annotations

import io
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.utils import timezone
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from coupons import importing
from coupons.batches.minting import mint
from coupons.bulk import work_all
from coupons.exceptions import BatchRefused
from coupons.exporting import reason_text, report_csv
from coupons.holders import customer_key
from coupons.importing import CHUNK, import_codes
from coupons.issuing import issue
from coupons.models import Campaign, Coupon, CouponBatch, Question
from coupons.redemption import reserve
from tests.test_coupons.factories import NOW, make_campaign, make_facts

pytestmark = pytest.mark.django_db


def read(text: str | bytes, *, campaign: Campaign | None = None, **more: Any) -> CouponBatch:
    data = text if isinstance(text, bytes) else text.encode()
    return import_codes(campaign=campaign or make_campaign(), file=io.BytesIO(data), now=NOW, **more)


def counts(batch: CouponBatch) -> tuple[int, int, int, int]:
    return batch.quantity, batch.made, batch.repeated, batch.refused


# What is taken ---------------------------------------------------------------------------------------


def test_codes_of_ours_and_of_other_systems() -> None:
    """In any order of columns; what we do not know is passed over; what is empty is the campaign's."""
    own = mint(1)[0]
    campaign = make_campaign(uses_per_coupon=2)
    batch = read(
        "Note,valid until,CODE,uses,holder_email\n"
        f"a,,{own[:4]}-{own[4:8]}-{own[8:]},,\n"
        "b,2026-12-31 18:00,gift-card,5,Ana@Example.com\n",
        campaign=campaign,
        note="From the old shop",
    )
    assert counts(batch) == (2, 2, 0, 0)
    assert (batch.kind, batch.status, batch.note) == ("imported", "done", "From the old shop")
    first, second = batch.coupons.order_by("pk")
    assert (first.code, first.usage_limit, first.ends_at, first.holder_key) == (own, 2, None, "")
    assert (second.code, second.usage_limit) == ("G1FTCARD", 5)
    assert second.holder_key == customer_key("ana@example.com")
    assert second.ends_at == timezone.make_aware(datetime(2026, 12, 31, 18, 0))
    assert reserve(code="Gift Card", order_ref="1", facts=make_facts(customer_key=second.holder_key), now=NOW)


@pytest.mark.parametrize(
    ("data", "made"),
    [
        ("code;uses\nABCD;3\nEFGH;4\n".encode("utf-8-sig"), 2),
        (b"code\tuses\r\nABCD\t3\r\nEFGH\t4\r\n", 2),
        (b"code\rABCD\rEFGH\r", 2),
        ("code,note\nABCD,Grüße\n".encode("latin-1"), 1),
        ("code,note\nABCD,Grüße\n".encode("utf-16"), 1),
        (b'"code","note"\n"ABCD","a ""b"", c;d;e;f"\n"EFGH",""\n', 2),
        (b"\n\ncode\n\nABCD\n\n\n", 1),
        (b"\r\n\r\ncode;uses\r\nABCD;3\r\n", 1),
        (b"sep=;\r\ncode;uses\r\nABCD;3\r\n", 1),
        (b'\n"SEP=,"\n\ncode,a;b;c\nABCD,3\n', 1),
        (b"sep=\t\ncode\tuses\nABCD\t3\n", 1),
        (b"sep=;;\ncode;uses\nABCD;3\n", 1),
        ("sep=;\ncode;note\nABCD;Grüße\n".encode("utf-16"), 1),
        ("sep=;\ncode;note\nABCD;Grüße\n".encode("utf-8-sig"), 1),
    ],
    ids=[
        "bom",
        "tabs",
        "old-mac",
        "latin-1",
        "utf-16",
        "quoted",
        "blank-lines",
        "blank-lines-above",
        "separator",
        "separator-between-blank-lines",
        "separator-tab",
        "separator-in-cells",
        "separator-utf-16",
        "separator-bom",
    ],
)
def test_files_as_spreadsheets_write_them(data: bytes, made: int) -> None:
    assert counts(read(data)) == (made, made, 0, 0)


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("2026-05-31", datetime(2026, 5, 31, 22, 0, tzinfo=UTC)),
        ("31.05.2026", datetime(2026, 5, 31, 22, 0, tzinfo=UTC)),
        ("31.5.2026 18:30", datetime(2026, 5, 31, 16, 30, tzinfo=UTC)),
        ("2026-05-31T18:30:00+00:00", datetime(2026, 5, 31, 18, 30, tzinfo=UTC)),
        ("2026-05-31 00:00", datetime(2026, 5, 30, 22, 0, tzinfo=UTC)),
        ("2026-05-31T18:30+05:00", datetime(2026, 5, 31, 13, 30, tzinfo=UTC)),
        # Clocks show it twice; customers have the longer time (CD-7).
        ("2026-10-25 02:30", datetime(2026, 10, 25, 1, 30, tzinfo=UTC)),
        ("25.10.2026 02:30", datetime(2026, 10, 25, 1, 30, tzinfo=UTC)),
    ],
)
def test_dates_as_people_write_them(text: str, moment: datetime) -> None:
    """A date alone is good to its end (CD-2); a time without a zone is in the shop's."""
    with timezone.override("Europe/Berlin"):
        assert read(f"code;valid_until\nABCD;{text}\n").coupons.get().ends_at == moment


def test_a_campaign_that_asks_gets_locked_coupons() -> None:
    """CO-9."""
    campaign = make_campaign(deadline_minutes=60)
    Question.objects.create(campaign=campaign, label="Favourite tea?", purpose="To know", clean_name="tea")
    coupon = read("code\nABCD\n", campaign=campaign).coupons.get()
    assert (coupon.state, coupon.deadline_minutes) == ("locked", 60)


# What is not -----------------------------------------------------------------------------------------


def mistyped() -> str:
    code = mint(1)[0]
    return ("7" if code[0] != "7" else "8") + code[1:]


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        (",3", "empty"),
        ("AB", "typo"),
        ("A" * 25, "typo"),
        ("SPRÜH", "typo"),
        ("<script>", "typo"),
        ("=1+1", "typo"),
        ("ABCD,0", "uses"),
        ("ABCD,-1", "uses"),
        ("ABCD,1.5", "uses"),
        ("ABCD,٣", "uses"),
        ("ABCD,99999999", "uses"),
        ("ABCD,1,yesterday", "valid_until"),
        ("ABCD,1,2026-05-01", "valid_until"),
        ("ABCD,1,05/31/2026", "valid_until"),
        ("ABCD,1,9999-12-31", "year"),
        ("ABCD,1,31.12.9999", "year"),
        ("ABCD,1,9999-12-31T23:59:59Z", "year"),
        ("ABCD,1,3000-01-01", "year"),
        ("ABCD,1,2027-05-31T18", "valid_until"),
        ("ABCD,1,2027-05-31T18+02:00", "valid_until"),
        ("ABCD,1,2027-05-31 1830", "valid_until"),
        ("ABCD,1,2026-03-29 02:30", "valid_until"),
        ("ABCD,1,,not an address", "holder_email"),
    ],
)
def test_a_row_is_refused_with_its_number_and_the_reason(row: str, reason: str) -> None:
    with timezone.override("Europe/Berlin"):
        batch = read(f"code,uses,valid_until,holder_email\nGOOD,1,,\n{row}\n")
    assert counts(batch) == (2, 1, 0, 1)
    assert batch.rejected == [[3, reason]]
    assert reason_text(reason) != reason


def test_what_could_be_a_mistyped_code_of_ours() -> None:
    """CO-5: refused, unless the setting says that the shop has such codes of another system."""
    code = mistyped()
    assert read(f"code\n{code}\nGOOD\n").rejected == [[2, "typo"]]


def test_a_shop_with_foreign_codes_may_have_such(settings: Any) -> None:
    settings.THANKYOU_COUPONS = {"FOREIGN_CODES": True}
    code = mistyped()
    assert read(f"code\n{code}\n").coupons.get().code == code


def test_a_code_that_stands_twice_in_the_file() -> None:
    """However it is written; the first row counts."""
    batch = read("code,uses\nGIFT,1\nother,1\ng-i-f-t,9\n")
    assert counts(batch) == (3, 2, 0, 1)
    assert batch.rejected == [[4, "twice"]]
    assert batch.coupons.get(code="G1FT").usage_limit == 1


def test_a_code_of_another_campaign() -> None:
    """Its coupons and its word keep what they promise."""
    other = issue(campaign=make_campaign(), now=NOW)
    make_campaign(code_type="word", word="SPRING", limit_per_customer=1)
    batch = read(f"code\n{other.code}\nspring\nMINE\n")
    assert batch.rejected == [[2, "taken"], [3, "taken"]]
    assert batch.made == 1


def test_a_quotation_mark_that_nobody_closed() -> None:
    """Swallows what follows up to csv's limit; what came before and comes after is read."""
    batch = read('code\nABCD\n"' + "x" * 140_000 + "\nEFGH\n")
    assert batch.made == 2
    assert batch.rejected == [[3, "unreadable"]]


@pytest.mark.parametrize(
    ("first", "last"),
    [('"5in flyer', "flyer"), ('"5in flyer', 'flyer 5"'), ('"5in flyer', '"8in flyer'), ('"5in" flyer', "flyer")],
    ids=["to-the-end", "to-another-mark", "to-the-next-such", "in-its-line"],
)
def test_no_row_is_lost_without_a_word(first: str, last: str) -> None:
    """Every row of the file is made, known, or refused with the number of its line."""
    notes = [first, *["flyer"] * 497, last, "flyer"]
    campaign = make_campaign()
    text = "code,note\n" + "".join(f"ROW{n:03},{note}\n" for n, note in enumerate(notes))
    batch = read(text, campaign=campaign)
    assert batch.quantity == len(notes) == 500
    assert batch.made + batch.refused == 500
    assert [2, "unreadable"] in batch.rejected
    assert len({number for number, _reason in batch.rejected}) == batch.refused
    mended = read(text.replace('"', ""), campaign=campaign)
    assert counts(mended) == (500, batch.refused, batch.made, 0)


def test_a_line_break_in_a_cell_is_refused() -> None:
    """It may as well be a mark that was never closed: its lines could be rows, and two codes become one."""
    batch = read('code,note\nABCD,"one\ntwo"\n"EFGH\nJKMN",x\nPQRS,y\n')
    assert batch.rejected == [[line, "unreadable"] for line in (2, 3, 4, 5)]
    assert counts(batch) == (5, 1, 0, 4)


def test_the_last_day_that_is_taken() -> None:
    """To its end, in every zone."""
    with timezone.override("America/New_York"):
        coupon = read("code,valid_until\nABCD,2999-12-31\n").coupons.get()
    assert coupon.ends_at == datetime(3000, 1, 1, 5, 0, tzinfo=UTC)


# Again -----------------------------------------------------------------------------------------------


def test_the_same_file_again_changes_nothing() -> None:
    campaign = make_campaign()
    read("code,uses\nABCD,1\nEFGH,2\n", campaign=campaign)
    reserve(code="ABCD", order_ref="1", facts=make_facts(), now=NOW)
    before = list(Coupon.objects.order_by("pk").values())
    batch = read("code,uses\nABCD,7\nEFGH,7\n", campaign=campaign)
    assert counts(batch) == (2, 0, 2, 0)
    assert list(Coupon.objects.order_by("pk").values()) == before
    longer = read("code\nABCD\nEFGH\nJKMN\n", campaign=campaign)
    assert counts(longer) == (3, 1, 2, 0)


def test_an_import_that_breaks_off_leaves_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    """One transaction: there is never half a file."""
    insert, calls = importing._insert, []

    def fails(*arguments: Any) -> None:
        insert(*arguments)
        calls.append(Coupon.objects.count())
        if len(calls) == 2:
            raise RuntimeError

    monkeypatch.setattr(importing, "_insert", fails)
    with pytest.raises(RuntimeError):
        read("code\n" + "\n".join(mint(CHUNK + 5)))
    assert calls == [CHUNK, CHUNK + 5]
    assert not Coupon.objects.exists()
    assert not CouponBatch.objects.exists()


def test_an_imported_batch_wants_no_more_codes() -> None:
    batch = read("code\nABCD\nAB\n")
    assert not batch.is_open
    assert work_all(now=NOW + timedelta(days=1)) == 0


def test_queries_grow_with_chunks_and_not_with_rows(django_assert_num_queries: Any) -> None:
    """Two savepoints and two writes of the batch, one look at the questions; for a chunk a look-up and an insert."""
    for rows in (1, CHUNK):
        campaign = make_campaign()
        with django_assert_num_queries(7):
            read("code\n" + "\n".join(mint(rows)), campaign=campaign)
    with django_assert_num_queries(9):
        read("code\n" + "\n".join(mint(2 * CHUNK)), campaign=campaign)


# Files and campaigns that will not do ----------------------------------------------------------------


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (b"", "empty"),
        (b"code,uses\n", "empty"),
        (b"\n\n\n", "empty"),
        (b"Gutschein\nABCD\n", "no_code_column"),
        (b"ABCD\nEFGH\n", "no_code_column"),
        (b'code,"5in\nABCD,x\n', "header"),
        (b'code,"5in\nABCD,x"\nEFGH,y\n', "header"),
        (b"PK\x03\x04 a spreadsheet", "not_text"),
        (b"\xff\xfe\x00\xd8\x00", "not_text"),
    ],
    ids=[
        "nothing",
        "only-header",
        "blank",
        "other-header",
        "no-header",
        "open-header",
        "long-header",
        "xlsx",
        "broken-utf-16",
    ],
)
def test_a_file_without_codes(data: bytes, code: str) -> None:
    with pytest.raises(BatchRefused) as refused:
        read(data)
    assert refused.value.code == code
    assert refused.value.message
    assert not CouponBatch.objects.exists()


def test_a_file_that_is_too_long(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(importing, "LARGEST_FILE", 3)
    assert read("code\nABCD\nEFGH\nJKMN\n").made == 3
    with pytest.raises(BatchRefused) as refused:
        read("code\nABCD\nEFGH\nJKMN\nPQRS\n")
    assert refused.value.code == "too_many_rows"
    assert "3 rows" in refused.value.message


@pytest.mark.parametrize(
    "campaign", [{"status": "paused"}, {"status": "ended"}, {"code_type": "word", "word": "SPRING"}]
)
def test_campaigns_that_get_no_codes(campaign: dict[str, Any]) -> None:
    with pytest.raises(BatchRefused):
        read("code\nABCD\n", campaign=make_campaign(**campaign))


HOSTILE = st.text(
    st.characters(codec="utf-8") | st.sampled_from("=+-@\t\r\n\0\"',;<>&ＡＢ＝１"), min_size=0, max_size=40
)


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(cells=st.lists(st.tuples(HOSTILE, HOSTILE, HOSTILE, HOSTILE), min_size=1, max_size=6))
def test_no_file_breaks_it_or_comes_out_of_the_report(cells: list[tuple[str, ...]]) -> None:
    """CM-1, CM-5: whatever stands in the cells, each row is made or refused, and the report has our words only."""
    text = "code,uses,valid_until,holder_email\n" + "\n".join(",".join(row) for row in cells)
    try:
        batch = read(text)
    except BatchRefused as refused:
        assert refused.code == "empty"
        return
    assert batch.made + batch.repeated + batch.refused == batch.quantity
    assert len(batch.rejected) == batch.refused
    assert all(coupon.code.isascii() and coupon.code.isalnum() for coupon in batch.coupons.all())
    report = "".join(report_csv(batch=batch))
    assert {row.split(",", 1)[1].strip('"') for row in report.splitlines()[1:]} <= {
        reason_text(reason) for _number, reason in batch.rejected
    }


def test_the_file_stays_the_caller_s() -> None:
    file = io.BytesIO(b"code\nABCD\n")
    import_codes(campaign=make_campaign(), file=file, now=NOW)
    assert not file.closed
