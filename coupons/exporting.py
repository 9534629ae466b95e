"""Codes as a CSV file: streamed, so that a million of them need no more memory than a few thousand (CM-5)."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from datetime import datetime
from itertools import chain
from typing import Final

from django.utils import timezone
from django.utils.translation import gettext

from . import codes, links
from .models import Campaign, Coupon, CouponBatch, CouponQuerySet
from .spreadsheets import CHUNK, as_csv, as_spreadsheet_text

#: What the columns are called, whatever the language: an import reads the same names.
COLUMNS: Final = ("code", "state", "used", "uses", "valid_until", "issued_at")
REPORT_COLUMNS: Final = ("row", "reason")
#: The column that an export has besides, for whoever may hand out links that unlock.
LINK_COLUMN: Final = "unlock_url"


def export_csv(
    *,
    campaign: Campaign | None = None,
    batch: CouponBatch | None = None,
    address_of: Callable[[str], str] | None = None,
) -> Iterator[str]:
    """Return the coupons of a campaign, or of one batch, as pieces of a CSV file, in the order in which they were made.

    Columns: ``code`` as it is printed, ``state`` (available, locked, revoked), ``used`` and ``uses`` (taken and
    allowed; empty for no limit), ``valid_until`` (the coupon's own end, empty for none: the campaign's end holds for
    all of them, and may still be moved) and ``issued_at``, to the second in the active time zone with the offset from
    UTC. With ``address_of``, which makes a whole address of a path, there is also ``unlock_url``: for each locked
    coupon the link to its questions (CO-9). Whoever opens it counts as the coupon's holder.

    Texts that a spreadsheet would run are made harmless; numbers stay numbers (CM-5). Who exported is for the caller
    to write down. Raises ``TypeError`` unless exactly one of campaign and batch is given.
    """
    if (campaign is None) == (batch is None):
        raise TypeError("Export either a campaign or a batch.")
    if batch is not None:
        coupons, campaign = Coupon.objects.filter(batch=batch), batch.campaign
    else:
        assert campaign is not None  # noqa: S101 - one of the two is given
        coupons = Coupon.objects.filter(campaign=campaign)
    columns = COLUMNS if address_of is None else (*COLUMNS, LINK_COLUMN)
    return as_csv(chain([columns], _rows(coupons.order_by("pk"), campaign, address_of)))


def report_csv(*, batch: CouponBatch) -> Iterator[str]:
    """Return the rows that an import refused as pieces of a CSV file: the number of the row, and the reason in the
    active language. What stood in them is in the owner's own file, and not repeated.
    """
    rows = ([number, as_spreadsheet_text(reason_text(reason))] for number, reason in batch.rejected)
    return as_csv(chain([REPORT_COLUMNS], rows))


def reason_text(reason: str) -> str:
    """Return why a row was refused, for the owner, in the active language."""
    texts = {
        "unreadable": gettext(
            "This row cannot be read. Is a quotation mark missing, or is there a line break in a cell?"
        ),
        "empty": gettext("There is no code in this row."),
        "typo": gettext("This is no code, or one with a typing error: 3 to 24 letters and digits."),
        "twice": gettext("This code stands further up in the file already."),
        "taken": gettext("This code belongs to another campaign."),
        "state": gettext(
            "Only available codes are imported, and this one has another state. If it shall be good again, leave the "
            "column out."
        ),
        "used": gettext(
            "Uses of this code are taken already. If all shall be free again, leave the column “used” out."
        ),
        "uses": gettext("The uses must be a whole number of 1 or more."),
        "valid_until": gettext("The date must look like 2026-05-31 or 2026-05-31 18:00, and lie ahead."),
        "year": gettext("The date may be in the year 2999 at the latest. Leave it empty for no end."),
        "holder_email": gettext("This is no e-mail address."),
    }
    return texts.get(reason, reason)


def as_time(moment: datetime | None) -> str:
    """Return a moment to the second in the active time zone, with its offset, or an empty text."""
    return "" if moment is None else timezone.localtime(moment).isoformat(sep=" ", timespec="seconds")


def _rows(
    coupons: CouponQuerySet, campaign: Campaign, address_of: Callable[[str], str] | None
) -> Iterator[Sequence[object]]:
    fields = ("pk", "code", "is_word", "state", "used", "usage_limit", "ends_at", "issued_at")
    found = coupons.values_list(*fields).iterator(chunk_size=CHUNK)
    for pk, code, is_word, state, used, limit, ends_at, issued_at in found:
        cells = (
            as_spreadsheet_text(campaign.word if is_word else codes.display(code)),
            state,
            used,
            "" if limit is None else limit,
            as_time(ends_at),
            as_time(issued_at),
        )
        if address_of is None:
            yield cells
        else:
            is_locked = state == Coupon.State.LOCKED
            yield (*cells, as_spreadsheet_text(address_of(links.unlock_path(Coupon(pk=pk)))) if is_locked else "")
