"""Lists as CSV files for spreadsheets: no cell runs, and a file of a million rows needs no more memory than one of a
few thousand (CM-5).
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Iterator, Sequence
from itertools import islice
from typing import Any, Final

from django.http import StreamingHttpResponse
from django.utils.text import slugify

#: What a spreadsheet takes for the beginning of a formula (CM-5, ASVS 1.2.10).
FORMULA_STARTS: Final = ("=", "+", "-", "@", "\t", "\r", "\0", "＝", "＋", "－", "＠")
#: Rows in one piece of a file.
CHUNK: Final = 2_000


def as_spreadsheet_text(value: Any) -> str:
    """Return a text that a spreadsheet shows and does not run (CM-5)."""
    text = str(value)
    return f"'{text}" if text.startswith(FORMULA_STARTS) else text


def as_csv(rows: Iterable[Sequence[object]], *, chunk: int = CHUNK) -> Iterator[str]:
    """Yield a CSV file in pieces: the first row, which is the header, at once; then ``chunk`` rows at a time.

    The cells are written as they are: pass texts of others through ``as_spreadsheet_text``.
    """
    rows = iter(rows)
    piece = list(islice(rows, 1))
    while piece:
        text = io.StringIO()
        csv.writer(text).writerows(piece)
        yield text.getvalue()
        piece = list(islice(rows, chunk))


def as_download(pieces: Iterable[str], *, name: str) -> StreamingHttpResponse:
    """Return a CSV file as a download called ``name``, piece by piece and kept by no cache; with the mark by which
    spreadsheets know UTF-8 (without it they take a file for one of the last century).
    """

    def encoded() -> Iterator[bytes]:
        encoding = "utf-8-sig"
        for piece in pieces:
            yield piece.encode(encoding)
            encoding = "utf-8"

    response = StreamingHttpResponse(encoded(), content_type="text/csv; charset=utf-8")
    response.headers["Content-Disposition"] = f'attachment; filename="{slugify(name)[:60] or "list"}.csv"'
    response.headers["Cache-Control"] = "no-store, private"
    return response
