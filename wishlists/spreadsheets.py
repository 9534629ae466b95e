"""Lists as files for spreadsheets: no cell runs (CM-5), and none is kept by a cache."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Iterator, Sequence
from importlib.util import find_spec
from itertools import islice
from typing import Any, Final, TypeVar

from django.http import HttpResponse, HttpResponseBase, StreamingHttpResponse
from django.utils.http import content_disposition_header
from django.utils.text import slugify

#: What a spreadsheet takes for the beginning of a formula (CM-5, ASVS 1.2.10).
FORMULA_STARTS: Final = ("=", "+", "-", "@", "\t", "\r", "\n", "\0", "＝", "＋", "－", "＠")
#: Rows in one piece of a file.
CHUNK: Final = 200
#: Widths of columns in an XLSX file, in characters.
NARROW, WIDE = 24, 32
XLSX: Final = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"

R = TypeVar("R", bound=HttpResponseBase)


def as_spreadsheet_text(value: Any) -> str:
    """Return a text that a spreadsheet shows and does not run (CM-5)."""
    text = str(value)
    return f"'{text}" if text.lstrip(" ").startswith(FORMULA_STARTS) else text


def as_csv(rows: Iterable[Sequence[object]], *, chunk: int = CHUNK) -> Iterator[bytes]:
    """Yield a CSV file in pieces, with the mark by which spreadsheets know UTF-8; no cell of it runs."""
    rows = iter(rows)
    encoding = "utf-8-sig"
    while piece := list(islice(rows, chunk)):
        text = io.StringIO()
        csv.writer(text).writerows([as_spreadsheet_text(cell) for cell in row] for row in piece)
        yield text.getvalue().encode(encoding, "replace")
        encoding = "utf-8"


def has_xlsx() -> bool:
    """Say whether XLSX files can be written: Wagtail brings the package."""
    return find_spec("openpyxl") is not None


def as_xlsx(rows: Iterable[Sequence[object]], *, title: str) -> bytes:
    """Return an XLSX file with one sheet of texts, the first row and column in bold and always in view.

    What looks like a formula is stored as a text, and marked so that it stays one when somebody edits it (CM-5).
    """
    from openpyxl import Workbook
    from openpyxl.cell.cell import ILLEGAL_CHARACTERS_RE
    from openpyxl.styles import Alignment, Font
    from openpyxl.utils import get_column_letter

    book = Workbook()
    sheet = book.active
    sheet.title = "".join(letter for letter in title if letter.isalnum() or letter in " -")[:31] or "1"
    for number, row in enumerate(rows, start=1):
        for place, value in enumerate(row, start=1):
            text = ILLEGAL_CHARACTERS_RE.sub("", str(value)).encode("utf-8", "replace").decode()
            cell = sheet.cell(number, place, text)
            cell.data_type = "s"
            cell.quotePrefix = text.startswith(FORMULA_STARTS)
            cell.alignment = Alignment(wrap_text=True, vertical="top")
            cell.font = Font(bold=number == 1 or place == 1)
    for place in range(1, sheet.max_column + 1):
        sheet.column_dimensions[get_column_letter(place)].width = NARROW if place == 1 else WIDE
    sheet.freeze_panes = "B2"
    sheet.page_setup.orientation = "landscape"
    sheet.sheet_properties.pageSetUpPr.fitToPage = True
    sheet.page_setup.fitToHeight = 0
    file = io.BytesIO()
    book.save(file)
    return file.getvalue()


def download_csv(rows: Iterable[Sequence[object]], *, name: str) -> StreamingHttpResponse:
    """Return rows as a CSV download called ``name``, piece by piece."""
    return as_download(StreamingHttpResponse(as_csv(rows), content_type="text/csv; charset=utf-8"), f"{name}.csv")


def download_xlsx(rows: Iterable[Sequence[object]], *, name: str) -> HttpResponse:
    """Return rows as an XLSX download called ``name``."""
    return as_download(HttpResponse(as_xlsx(rows, title=name), content_type=XLSX), f"{name}.xlsx")


def as_download(response: R, file_name: str) -> R:
    """Let the browser save a response as a file, which no cache keeps and no search engine lists."""
    stem, _, ending = file_name.rpartition(".")
    # A name may hold what a header must not: line ends, quotes, slashes.
    safe = slugify(stem, allow_unicode=True)[:60] or "list"
    response.headers["Content-Disposition"] = content_disposition_header(True, f"{safe}.{ending}") or "attachment"
    response.headers["Cache-Control"] = "no-store, private"
    response.headers["X-Robots-Tag"] = "noindex"
    response.headers["X-Content-Type-Options"] = "nosniff"
    return response
