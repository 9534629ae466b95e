"""The cookies' format: signed, compressed, versioned JSON of references and quantities; any bytes are survivable."""

from __future__ import annotations

import json
import zlib
from dataclasses import dataclass
from datetime import UTC, datetime
from http.cookies import SimpleCookie
from typing import Any, NamedTuple

from django.core import signing
from django.core.signing import JSONSerializer
from django.utils import timezone

from . import encryption
from .conf import app_settings
from .exceptions import ListFull
from .kinds import CART
from .lines import Line, Lines, is_ref

VERSION = 1
#: What the site itself would not have written is not worth unpacking.
LONGEST = 4096
#: Bytes of the limit that adding leaves free: keeping, opening and removing change a few, and must always be possible.
ROOM = 64
#: Bytes up to which a list is not compressed: nothing to gain, and it takes as long as all the rest.
SHORT = 100


@dataclass(frozen=True, slots=True)
class Kept:
    """What the cookie of one kind of list holds."""

    lines: Lines
    #: What an earlier visit left, and nobody has asked for yet (CK-5). Only in cookies that are kept.
    left: Lines
    #: The customer asked to keep it on this device (CK-6).
    keep: bool = False
    #: When it was written; None for one that is not written yet.
    at: datetime | None = None
    #: When ``left`` was last changed by the visit that left it.
    left_at: datetime | None = None

    @classmethod
    def empty(cls, kind: str) -> Kept:
        return cls(Lines(kind=kind), Lines(kind=kind))

    def __bool__(self) -> bool:
        return bool(self.lines or self.left)


class Fit(NamedTuple):
    """What of a list goes into its cookie, and the newest lines that do not."""

    lines: Lines
    left_out: tuple[Line, ...]


def salt(kind: str) -> str:
    """Return the purpose of a kind's signature, so that no other signed value of the site passes as one (CK-1)."""
    return f"thankyou_wishlists.{kind}.v{VERSION}"


def encode(kept: Kept, *, limit: int | None = None) -> str:
    """Return the cookie value.

    Raises ListFull (``bytes``) if name and value together have more bytes than ``limit`` (CK-2): the caller keeps the
    list it had and tells the customer. Without one, it is what adding may fill: the kind's ``max_bytes`` less ROOM.
    """
    value = _sign(kept)
    policy = kept.lines.policy
    if size(value, policy.name) > (limit if limit is not None else policy.max_bytes - ROOM):
        raise ListFull("bytes", kind=policy.name, limit=policy.max_bytes)
    return value


def fit(lines: Lines, *, left: Lines | None = None, keep: bool = False) -> Fit:
    """Return the longest beginning of the list (oldest lines first) that its cookie can hold, and what is left out.

    For callers that put in many lines at once. The cut depends on the list and the settings alone; whoever calls
    says what was left out (CK-2).
    """
    policy = lines.policy
    left = left if left is not None else lines.having()

    def fits(number: int) -> bool:
        kept = Kept(lines.having(*lines.lines[:number]), left, keep)
        return size(_sign(kept), policy.name) <= policy.max_bytes - ROOM

    low, high = 0, min(len(lines), policy.max_items)
    while low < high:
        middle = (low + high + 1) // 2
        if fits(middle):
            low = middle
        else:
            high = middle - 1
    # Compression may make a longer list shorter than a part of it, so that the search can end one line too far.
    while low and not fits(low):
        low -= 1
    return Fit(lines.having(*lines.lines[:low]), lines.lines[low:])


def decode(text: str, *, kind: str = CART) -> Kept | None:
    """Return what is in a cookie value, or None if it is not one of ours and should be dropped (CK-3).

    Signed is not fresh: a year-old cookie is read, but obeys the limits of today (CK-4).
    """
    if not text or len(text) > LONGEST:
        return None
    left: list[Any] = []
    left_at: datetime | None = None
    try:
        if app_settings.encrypt_lists:
            text = encryption.decrypt(text)
        signer = signing.TimestampSigner(salt=salt(kind))
        payload = signer.unsign_object(text, serializer=JSONSerializer)
        stamp = signing.b62_decode(text.rsplit(":", 2)[1])
        at = datetime.fromtimestamp(stamp, tz=UTC)
        match payload:
            case [version, (0 | 1) as keep, [*rows]] if version == VERSION:
                pass
            case [version, (0 | 1) as keep, [*rows], [*left], int(then)] if version == VERSION:
                left_at = datetime.fromtimestamp(then, tz=UTC)
            case _:
                return None
    except (
        signing.BadSignature,
        ValueError,
        OverflowError,
        OSError,
        zlib.error,
        RecursionError,
        json.JSONDecodeError,
    ):
        return None
    lines, before = _read(rows, kind), _read(left, kind)
    if lines is None or before is None:
        return None
    return Kept(lines.having(*lines.lines[: lines.policy.max_items]), before, bool(keep), at, left_at)


def _read(rows: list[object], kind: str) -> Lines | None:
    most = app_settings.max_quantity
    found = [_read_line(row, most) for row in rows]
    lines = [line for line in found if line is not None]
    if len(found) != len(lines) or len({line.key for line in lines}) != len(lines):
        return None
    return Lines(tuple(lines), kind)


def _read_line(row: object, most: int) -> Line | None:
    quantity: object = 1
    options: object = ""
    parked: object = 0
    match row:
        case str(ref):
            pass
        case [str(ref), quantity]:
            pass
        case [str(ref), quantity, options]:
            pass
        case [str(ref), quantity, options, parked]:
            pass
        case _:
            return None
    if not isinstance(quantity, int) or isinstance(quantity, bool) or quantity < 1 or parked not in (0, 1):
        return None
    if not isinstance(options, str) or not is_ref(ref) or not is_ref(options, empty=True):
        return None
    return Line(ref, min(quantity, most), options, bool(parked))


def _sign(kept: Kept) -> str:
    payload: list[Any] = [VERSION, int(kept.keep), _rows(kept.lines)]
    if kept.left:
        payload += [_rows(kept.left), int((kept.left_at or timezone.now()).timestamp())]
    signer = signing.TimestampSigner(salt=salt(kept.lines.kind))
    is_long = len(JSONSerializer().dumps(payload)) > SHORT
    value = signer.sign_object(payload, serializer=JSONSerializer, compress=is_long)
    return encryption.encrypt(value) if app_settings.encrypt_lists else value


def _rows(lines: Lines) -> list[Any]:
    """Return the lines as short as can be: most are one piece without options."""
    rows: list[Any] = []
    for line in lines:
        if line.parked:
            rows.append([line.product_ref, line.quantity, line.options, 1])
        elif line.options:
            rows.append([line.product_ref, line.quantity, line.options])
        elif line.quantity != 1:
            rows.append([line.product_ref, line.quantity])
        else:
            rows.append(line.product_ref)
    return rows


#: Knows how values are quoted; holds none.
_QUOTING: SimpleCookie = SimpleCookie()


def size(value: str, kind: str) -> int:
    """Bytes of ``name=value`` on the wire, after cookie quoting."""
    return len(app_settings.cookie_name(kind)) + 1 + len(_QUOTING.value_encode(value)[1])
