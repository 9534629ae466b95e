"""Codes as a CSV file: streamed, so that a million of them need no more memory than a few thousand (CM-5)."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from itertools import islice
from typing import Final

from django.utils import timezone
from django.utils.translation import gettext

from . import codes
from .models import Campaign, Coupon, CouponBatch, CouponQuerySet
from .readonly import as_spreadsheet_text

#: What the columns are called, whatever the language: an import reads the same names.
COLUMNS: Final = ("code", "state", "used", "uses", "valid_until", "issued_at")
REPORT_COLUMNS: Final = ("row", "reason")

#: Rows that are fetched, and sent, at a time.
CHUNK: Final = 2_000


def export_csv(*, campaign: Campaign | None = None, batch: CouponBatch | None = None) -> Iterator[str]:
    """Return the coupons of a campaign, or of one batch, as pieces of a CSV file, in the order in which they were made.

    Columns: ``code`` as it is printed, ``state`` (available, locked, revoked), ``used`` and ``uses`` (taken and
    allowed; empty for no limit), ``valid_until`` (empty for no end) and ``issued_at`` in the active time zone with
    their offset from UTC. Texts that a spreadsheet would run are made harmless; numbers stay numbers (CM-5). Who
    exported is for the caller to write down. Raises ``TypeError`` unless exactly one of the two is given.
    """
    if (campaign is None) == (batch is None):
        raise TypeError("Export either a campaign or a batch.")
    if batch is not None:
        return _pieces(COLUMNS, _rows(Coupon.objects.filter(batch=batch).order_by("pk"), batch.campaign))
    assert campaign is not None
    return _pieces(COLUMNS, _rows(Coupon.objects.filter(campaign=campaign).order_by("pk"), campaign))


def report_csv(*, batch: CouponBatch) -> Iterator[str]:
    """Return the rows that an import refused as pieces of a CSV file: the number of the row, and the reason in the
    active language. What stood in them is in the owner's own file, and not repeated.
    """
    rows = ([number, as_spreadsheet_text(reason_text(reason))] for number, reason in batch.rejected)
    return _pieces(REPORT_COLUMNS, rows)


def reason_text(reason: str) -> str:
    """Return why a row was refused, for the owner, in the active language."""
    texts = {
        "unreadable": gettext("This row cannot be read. Is a quotation mark missing?"),
        "empty": gettext("There is no code in this row."),
        "typo": gettext("This is no code, or one with a typing error: 3 to 24 letters and digits."),
        "twice": gettext("This code stands further up in the file already."),
        "taken": gettext("This code belongs to another campaign."),
        "uses": gettext("The uses must be a whole number of 1 or more."),
        "valid_until": gettext("The date must look like 2026-05-31 or 2026-05-31 18:00, and lie ahead."),
        "holder_email": gettext("This is no e-mail address."),
    }
    return texts.get(reason, reason)


def as_time(moment: datetime | None) -> str:
    """Return a moment to the minute in the active time zone, with its offset, or an empty text."""
    return "" if moment is None else timezone.localtime(moment).isoformat(sep=" ", timespec="minutes")


def _rows(coupons: CouponQuerySet, campaign: Campaign) -> Iterator[Sequence[object]]:
    fields = ("code", "is_word", "state", "used", "usage_limit", "ends_at", "issued_at")
    found = coupons.values_list(*fields).iterator(chunk_size=CHUNK)
    for code, is_word, state, used, limit, ends_at, issued_at in found:
        ends = [end for end in (ends_at, campaign.ends_at) if end is not None]
        yield (
            as_spreadsheet_text(campaign.word if is_word else codes.display(code)),
            state,
            used,
            "" if limit is None else limit,
            as_time(min(ends, default=None)),
            as_time(issued_at),
        )


def _pieces(header: Sequence[object], rows: Iterable[Sequence[object]]) -> Iterator[str]:
    rows = iter(rows)
    piece: list[Sequence[object]] = [header]
    while piece:
        text = io.StringIO()
        csv.writer(text).writerows(piece)
        yield text.getvalue()
        piece = list(islice(rows, CHUNK))
