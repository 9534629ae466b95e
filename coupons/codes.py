"""Coupon codes that people can type: 11 random symbols and one check symbol, of Crockford's alphabet (CO-5)."""

from __future__ import annotations

import secrets
import unicodedata
from typing import Final

from .exceptions import TypingError

#: Crockford's 32 symbols: no I, L, O (they look like 1, 1, 0) and no U.
ALPHABET: Final = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
LENGTH: Final = 12
#: Public words (CO-8): letters and digits, at least 3 of them.
SHORTEST_WORD: Final = 3
LONGEST_WORD: Final = 24
#: Room for a word or a code of another system in the column.
MAX_STORED: Final = 24
#: Longest text that is looked at at all; a code with every symbol spaced out is far below.
MAX_INPUT: Final = 100

_VALUES: Final = {symbol: value for value, symbol in enumerate(ALPHABET)}
_CONFUSABLES: Final = str.maketrans("OIL", "011")


def _weighted(value: int, weight: int) -> int:
    """Multiply in GF(32), the field of the polynomial x^5 + x^2 + 1."""
    product = 0
    while weight:
        if weight & 1:
            product ^= value
        value <<= 1
        if value & 32:
            value ^= 0b100101
        weight >>= 1
    return product


def _weights() -> tuple[int, ...]:
    """Return the weight of each random symbol: distinct powers of x, none of them the check symbol's weight 1."""
    weights, power = [], 1
    for _ in range(LENGTH - 1):
        power = _weighted(power, 2)
        weights.append(power)
    return tuple(weights)


#: ``_TABLE[position][value]``: what a symbol adds to the check sum. All weights differ and none is 0, so that every
#: single wrong symbol and every swap of two different symbols changes the sum.
_TABLE: Final = tuple(tuple(_weighted(value, weight) for value in range(32)) for weight in _weights())


def _check_symbol(symbols: str) -> str:
    total = 0
    for row, symbol in zip(_TABLE, symbols, strict=True):
        total ^= row[_VALUES[symbol]]
    return ALPHABET[total]


def generate() -> str:
    """Return a new code in its stored form: 12 symbols, 55 random bits from the system's secure source."""
    bits = secrets.randbits(5 * (LENGTH - 1))
    symbols = "".join(ALPHABET[(bits >> shift) & 31] for shift in range(0, 5 * (LENGTH - 1), 5))
    return symbols + _check_symbol(symbols)


def normalise(text: str) -> str:
    """Return the stored form of what somebody typed: spaces and dashes dropped, upper case, O as 0, I and L as 1.

    Raises ``TypingError`` (an ``InvalidCode`` with the reason ``"typo"``) for anything that cannot be a code of ours;
    no query is needed for that. Any text is survivable.
    """
    if not isinstance(text, str) or len(text) > MAX_INPUT:
        raise TypingError
    plain = unicodedata.normalize("NFKC", text)
    # A phone's keyboard makes long dashes of short ones.
    plain = "".join(symbol for symbol in plain if not symbol.isspace() and unicodedata.category(symbol) != "Pd")
    # Looked at before the change of case, which would turn some foreign letters into ours.
    if len(plain) != LENGTH or not plain.isascii():
        raise TypingError
    code = plain.upper().translate(_CONFUSABLES)
    if any(symbol not in _VALUES for symbol in code) or _check_symbol(code[:-1]) != code[-1]:
        raise TypingError
    return code


def display(code: str) -> str:
    """Return a stored code in the form that is shown and printed: ``XXXX-XXXX-XXXX``."""
    return "-".join(code[start : start + 4] for start in range(0, len(code), 4))


def masked(code: str) -> str:
    """Return enough of a stored code to recognise it in a log, and too little to use it."""
    return f"{code[:4]}-****-****"
