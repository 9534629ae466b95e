"""Codes of another system, or of an earlier export, read from a CSV file: as one transaction, and safe to repeat."""

from __future__ import annotations

import codecs
import csv
import io
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from functools import partial
from typing import Any, BinaryIO, Final, NamedTuple

from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.db import transaction
from django.utils import timezone

from . import codes
from .batches.inserting import insert_coupons
from .bulk import check_campaign
from .exceptions import BatchRefused, TypingError
from .holders import customer_key
from .ledger import uses
from .models import Campaign, Coupon, CouponBatch
from .models.rules import LAST_YEAR
from .moments import moment

#: Most lines of one file.
LARGEST_FILE: Final = 200_000
#: Rows that are looked up and inserted at a time; SQLite takes that many parameters.
CHUNK: Final = 1_000
#: More uses of one coupon than this are a typing error.
MOST_USES: Final = 1_000_000

DELIMITERS: Final = ",;\t"
#: What Excel writes, and understands, above the header: which sign parts the columns.
_SEPARATOR: Final = re.compile(r'"?sep=([,;\t])"?[,;\s]*\Z', re.IGNORECASE)
#: How a date may be written beside ISO 8601; with slashes nobody knows which is the month.
DATES: Final = ("%d.%m.%Y %H:%M", "%d.%m.%Y %H:%M:%S")
DATE_ALONE: Final = "%d.%m.%Y"
#: The time of a date and a time. An hour alone is none: it may as well be the end of the day that was meant.
_TIME: Final = re.compile(r"[T ]\d{1,2}:\d{2}")


class _Refused(Exception):
    """Why one row is left out, in the words of ``exporting.reason_text``."""


class _Row(NamedTuple):
    """A row that can be read. ``spent`` is the reason for which its code is not made anew, empty for none; it counts
    only if the code is not there.
    """

    number: int
    columns: dict[str, Any]
    state: str
    spent: str


class _Lines:
    """The lines of a file; ``row`` has the numbers, from 1, of those that were read since it was emptied. Blank ones
    are counted on, and are no rows.
    """

    def __init__(self, text: Iterable[str]) -> None:
        self._numbered = enumerate(text, start=1)
        self.row: list[int] = []

    def __iter__(self) -> Iterator[str]:
        return self

    def __next__(self) -> str:
        number, line = next(self._numbered)
        if line.strip():
            self.row.append(number)
        return line


@dataclass
class _Found:
    """What was read of a file so far."""

    rejected: list[tuple[int, str]] = field(default_factory=list)
    seen: set[str] = field(default_factory=set)
    rows: int = 0
    made: int = 0
    repeated: int = 0


def import_codes(
    *, campaign: Campaign, file: BinaryIO, note: str = "", created_by: Any = None, now: datetime | None = None
) -> CouponBatch:
    """Read codes from a CSV file into a campaign, and return the batch that says what became of each row.

    Columns by the names in the first row, in any order, others are passed over (above it may be blank lines, and what
    Excel writes there: ``sep=;``): ``code``, and, each of them optional and free to be empty, ``uses`` (1 or more; else
    the campaign's), ``valid_until`` (ISO 8601 or 31.12.2026, with or without a time, at most in the year 2999; a date
    alone is the end of that day, in the active time zone) and ``holder_email`` (the coupon is then that customer's).
    UTF-8, UTF-16 with a byte order mark, or Latin-1; separated by commas, semicolons or tabs.

    What an export of ours says besides is read too: a code with ``used`` uses taken, or with another ``state`` than
    "available" (or "locked", if the campaign asks), is refused, so that nothing that was used up or revoked comes back
    to life. Leave these columns out to make such codes good again.

    A code is 3 to 24 letters and digits, of our own format or of another system's. What could be a mistyped code of
    ours is refused, unless ``THANKYOU_COUPONS["FOREIGN_CODES"]`` is on. A code that the campaign has already is
    counted as known and not changed, so that a file may be imported again, also a longer one; each row that is refused
    stands in ``batch.rejected`` with the number of its line (the first of the file is 1) and its reason. A row that goes
    over several lines is refused, line by line: nobody can tell a line break in a cell from a quotation mark that was
    never closed and swallows other rows. So made, known and refused rows together are all rows of the file. It is all
    one transaction: an import that breaks off leaves nothing behind.

    ``file`` is binary and can be read twice, such as an upload. ``created_by`` is the member of staff. Raises
    ``BatchRefused`` for a campaign that gets no codes, or for a file without any; and ``CouponBusy``.
    """
    now = moment(now)
    check_campaign(campaign, now=now)
    encoding = _encoding(file)
    work = partial(_import, campaign, file, encoding, note=note, created_by=created_by, now=now)
    return uses.patiently(work)


def _import(
    campaign: Campaign, file: BinaryIO, encoding: str, *, note: str, created_by: Any, now: datetime
) -> CouponBatch:
    file.seek(0)
    text = io.TextIOWrapper(file, encoding=encoding, newline="")
    try:
        with transaction.atomic():
            batch = CouponBatch(
                campaign=campaign,
                kind=CouponBatch.Kind.IMPORTED,
                status=CouponBatch.Status.DONE,
                quantity=0,
                note=note,
                created_by=created_by,
                created_at=now,
                finished_at=now,
            )
            batch.save()
            asks = campaign.asks
            like = Coupon(
                campaign=campaign,
                batch=batch,
                state=Coupon.State.LOCKED if asks else Coupon.State.AVAILABLE,
                deadline_minutes=campaign.deadline_minutes if asks else None,
                issued_at=now,
            )
            found = _Found()
            chunk: list[_Row] = []
            for row in _rows(text, found, campaign, now):
                chunk.append(row)
                if len(chunk) == CHUNK:
                    _insert(chunk, like, found)
                    chunk = []
            _insert(chunk, like, found)
            if not found.rows:
                raise BatchRefused("empty")
            found.rejected.sort()
            batch.quantity, batch.made, batch.repeated = found.rows, found.made, found.repeated
            batch.refused, batch.rejected = len(found.rejected), [list(entry) for entry in found.rejected]
            batch.save()
            return batch
    finally:
        # The file stays open: it is the caller's.
        text.detach()


def _insert(chunk: Sequence[_Row], like: Coupon, found: _Found) -> None:
    """Insert what is new of a chunk, and count what is there already."""
    wanted = {row.columns["code"]: row for row in chunk}
    known = Coupon.objects.filter(code__in=list(wanted)).values_list("code", "campaign_id")
    for code, campaign_id in known:
        row = wanted.pop(code)
        if campaign_id == like.campaign_id:
            found.repeated += 1
        else:
            found.rejected.append((row.number, "taken"))
    # A locked code stays one where the campaign asks too; every other state but "available" would be lost.
    states = {"", Coupon.State.AVAILABLE, like.state}
    rows = []
    for row in wanted.values():
        if reason := "state" if row.state not in states else row.spent:
            found.rejected.append((row.number, reason))
        else:
            rows.append(row.columns)
    if rows:
        made = insert_coupons(like=like, columns={name: [row[name] for row in rows] for name in rows[0]})
        found.made += made
        # Somebody else imports the same at this moment.
        found.repeated += len(rows) - made


def _rows(text: io.TextIOWrapper, found: _Found, campaign: Campaign, now: datetime) -> Iterator[_Row]:
    """Yield each row that can be read, and note the others."""
    delimiter, above = _start(text)
    text.seek(0)
    lines = _Lines(text)
    for _line in range(above):
        next(lines)
    reader = csv.reader(lines, delimiter=delimiter, strict=True)
    names: Sequence[str] | None = None
    while True:
        lines.row = []
        try:
            cells = next(reader)
        except StopIteration:
            return
        except csv.Error:
            cells = None
        if cells is None or len(lines.row) > 1:
            if names is None:
                raise BatchRefused("header")
            found.rows += len(lines.row)
            found.rejected.extend((number, "unreadable") for number in lines.row)
            continue
        if not any(cell.strip() for cell in cells):
            continue
        if names is None:
            names = _header(cells)
            continue
        [number] = lines.row
        found.rows += 1
        try:
            named = dict(zip(names, (cell.strip() for cell in cells), strict=False))
            columns = _parse(named, campaign, now)
            if columns["code"] in found.seen:
                raise _Refused("twice")
        except _Refused as refused:
            found.rejected.append((number, str(refused)))
        else:
            found.seen.add(columns["code"])
            spent = "" if named.get("used", "") in {"", "0"} else "used"
            yield _Row(number, columns, state=named.get("state", "").lower(), spent=spent)


def _start(text: Iterable[str]) -> tuple[str, int]:
    """Return the sign that parts the columns, and how many lines stand above the header."""
    for number, line in enumerate(text):
        if separator := _SEPARATOR.match(line):
            return separator[1], number + 1
        if line.strip():
            return max(DELIMITERS, key=line.count), number
    return DELIMITERS[0], 0


def _header(cells: Sequence[str]) -> Sequence[str]:
    """Return the names of the columns. Raises ``BatchRefused`` if none is the code's: a heading in other words would
    pass for a public word.
    """
    names = [cell.strip().lower().replace(" ", "_") for cell in cells]
    if "code" not in names:
        raise BatchRefused("no_code_column")
    # Of two columns with one name the first counts.
    return [name if name not in names[:place] else "" for place, name in enumerate(names)]


def _parse(cells: Mapping[str, str], campaign: Campaign, now: datetime) -> dict[str, Any]:
    """Return the columns of a coupon. Raises ``_Refused``."""
    text, email = cells.get("code", ""), cells.get("holder_email", "")
    if not text:
        raise _Refused("empty")
    try:
        code = codes.normalise(text)
    except TypingError:
        raise _Refused("typo") from None
    if email:
        try:
            validate_email(email)
        except ValidationError:
            raise _Refused("holder_email") from None
    return {
        "code": code,
        "usage_limit": _uses(cells.get("uses", ""), campaign),
        "ends_at": _end(cells.get("valid_until", ""), now),
        "holder_key": customer_key(email) if email else "",
    }


def _uses(text: str, campaign: Campaign) -> int:
    if not text:
        return campaign.uses_per_coupon
    # Other scripts have digits too; ``int`` would take them, and signs, spaces and underscores.
    if not (text.isascii() and text.isdecimal() and len(text) <= 7 and 1 <= int(text) <= MOST_USES):
        raise _Refused("uses")
    return int(text)


def _end(text: str, now: datetime) -> datetime | None:
    if not text:
        return None
    moment = _moment(text)
    if moment is None or moment <= now:
        raise _Refused("valid_until")
    return moment


def _moment(text: str) -> datetime | None:
    """Return the moment that a date, or a date and a time, names; ``None`` for none, or for one that the clocks leave
    out. Raises ``_Refused`` for a year that is far too late.

    Of an hour that they show twice it is the second one: customers have the longer time (CD-7).
    """
    try:
        found = _with_time(text) if _TIME.search(text) else _day(text)
        if found.year > LAST_YEAR:
            raise _Refused("year")
        if not _TIME.search(text):
            found += timedelta(days=1)
        aware = found if found.tzinfo is not None else timezone.make_aware(found.replace(fold=1))
        back = aware.astimezone(UTC).astimezone(aware.tzinfo)
    except (ValueError, OverflowError):
        return None
    return aware if back.replace(tzinfo=None) == aware.replace(tzinfo=None) else None


def _with_time(text: str) -> datetime:
    for form in DATES:
        with suppress(ValueError):
            return datetime.strptime(text, form)
    return datetime.fromisoformat(text)


def _day(text: str) -> datetime:
    try:
        day = date.fromisoformat(text)
    except ValueError:
        day = datetime.strptime(text, DATE_ALONE).date()
    return datetime.combine(day, time())


def _encoding(file: BinaryIO) -> str:
    """Return the encoding of a file. Raises ``BatchRefused`` if it is too long, or no text at all."""
    file.seek(0)
    start = file.read(4)
    if start.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        candidates = ["utf-16"]
    elif start.startswith(b"PK\x03\x04"):
        # A spreadsheet in its own format.
        raise BatchRefused("not_text")
    else:
        candidates = ["utf-8-sig", "latin-1"]
    for encoding in candidates:
        file.seek(0)
        decoder = codecs.getincrementaldecoder(encoding)()
        lines = 0
        try:
            while data := file.read(1 << 16):
                text = decoder.decode(data)
                lines += max(text.count("\n"), text.count("\r"))
            decoder.decode(b"", final=True)
        except UnicodeDecodeError:
            continue
        # One more for the header.
        if lines > LARGEST_FILE + 1:
            raise BatchRefused("too_many_rows", {"rows": LARGEST_FILE})
        return encoding
    raise BatchRefused("not_text")
