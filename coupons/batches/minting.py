"""Many codes at once: the same codes as ``codes.generate``, made column by column instead of code by code (CO-5)."""

from __future__ import annotations

import re
import secrets
from typing import Final

from ..codes import _LEAST_DIGITS, _TABLE, ALPHABET, LENGTH

_SYMBOLS: Final = ALPHABET.encode("ascii")
#: From a random byte to a symbol, and to what the symbol adds to the check sum in each place. 256 is a multiple of 32,
#: so every symbol is equally likely.
_SYMBOL_OF_BYTE: Final = bytes(_SYMBOLS[byte & 31] for byte in range(256))
_SHARE_OF_BYTE: Final = tuple(bytes(row[byte & 31] for byte in range(256)) for row in _TABLE)

#: Every code has some digits that no letter is mistaken for; see ``codes.generate``.
_HAS_DIGITS: Final = re.compile("[^2-9]*".join(["[2-9]"] * _LEAST_DIGITS))


def mint(count: int) -> list[str]:
    """Return this many different new codes in their stored form, from the system's secure source of randomness.

    All the work on single symbols is done inside ``bytes.translate`` and one long exclusive or: for a hundred thousand
    codes a fraction of what as many calls of ``codes.generate`` take.
    """
    minted: dict[str, None] = {}
    while len(minted) < count:
        minted.update((code, None) for code in _columns(count - len(minted)) if _HAS_DIGITS.search(code))
    return list(minted)


def _columns(count: int) -> list[str]:
    codes = bytearray(LENGTH * count)
    check = 0
    for place, share in enumerate(_SHARE_OF_BYTE):
        column = secrets.token_bytes(count)
        codes[place::LENGTH] = column.translate(_SYMBOL_OF_BYTE)
        check ^= int.from_bytes(column.translate(share), "big")
    codes[LENGTH - 1 :: LENGTH] = check.to_bytes(count, "big").translate(_SYMBOL_OF_BYTE)
    text = codes.decode("ascii")
    return [text[start : start + LENGTH] for start in range(0, len(text), LENGTH)]
