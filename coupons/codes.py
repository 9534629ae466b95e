"""What people type to use a coupon: single codes of 11 random symbols and a check symbol, of Crockford's alphabet
(CO-5), and public words (CO-8).
"""

from __future__ import annotations

import secrets
import unicodedata
from typing import Final

from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy as _

from .conf import app_settings
from .exceptions import TypingError

#: Crockford's 32 symbols: no I, L, O (they look like 1, 1, 0) and no U.
ALPHABET: Final = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
LENGTH: Final = 12
#: Public words (CO-8): letters and digits, at least 3 of them.
SHORTEST_WORD: Final = 3
LONGEST_WORD: Final = 24
#: Room for a word or a code of another system in the column.
MAX_STORED: Final = 24
#: Texts of these lengths with a digit 2-9 are meant for a code with a check symbol: one symbol too few or too many.
LIKE_A_CODE: Final = range(LENGTH - 1, LENGTH + 2)
#: Longest text that is looked at at all; a code with every symbol spaced out is far below.
MAX_INPUT: Final = 100

_VALUES: Final = {symbol: value for value, symbol in enumerate(ALPHABET)}
_CONFUSABLES: Final = str.maketrans("OIL", "011")
#: The digits that no letter is mistaken for. They tell a code from a word, however it is typed.
_CLEAR_DIGITS: Final = frozenset("23456789")
#: A code has that many of them: with one symbol mistyped it still has a digit, and does not pass for a word.
_LEAST_DIGITS: Final = 2


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
    for _index in range(LENGTH - 1):
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
    """Return a new code in its stored form: 12 symbols from the system's secure source, two of them or more digits
    2-9.

    Of 2^55 texts that leaves 84 in 100, a quarter of a bit less (CO-5).
    """
    while True:
        bits = secrets.randbits(5 * (LENGTH - 1))
        symbols = "".join(ALPHABET[(bits >> shift) & 31] for shift in range(0, 5 * (LENGTH - 1), 5))
        code = symbols + _check_symbol(symbols)
        if sum(symbol in _CLEAR_DIGITS for symbol in code) >= _LEAST_DIGITS:
            return code


def normalise(text: str) -> str:
    """Return the stored form of what somebody typed, a code or a word: spaces and dashes dropped, upper case, O as 0,
    I and L as 1 (CO-5).

    Raises ``TypingError`` (an ``InvalidCode`` with the reason ``"typo"``) for anything that can be neither, and for
    what looks like a code and has a wrong check symbol, unless ``FOREIGN_CODES`` is on; no query is needed for that.
    Any text is survivable.
    """
    key = _symbols(text).translate(_CONFUSABLES)
    if is_code(key):
        return key
    if not SHORTEST_WORD <= len(key) <= MAX_STORED:
        raise TypingError
    if _looks_like_a_code(key) and not app_settings.foreign_codes:
        raise TypingError
    return key


def part_key(text: str) -> str:
    """Return how a part of a code or a word is stored, however it is typed; empty if nothing of it could be."""
    return _plain(text[:MAX_INPUT]).upper().translate(_CONFUSABLES)


def clean_word(text: str) -> str:
    """Return the stored form of a public word, which is what ``normalise`` makes of it and of each way to type it
    (CO-8).

    Raises Django's ``ValidationError``, with a text for the shop owner, for a word that nobody could type or that
    would pass for a mistyped code.
    """
    try:
        key = _symbols(text).translate(_CONFUSABLES)
    except TypingError:
        raise ValidationError(
            _("Use letters from A to Z and digits only, without accents or signs. Example: SPRING10"), code="word"
        ) from None
    if not SHORTEST_WORD <= len(key) <= LONGEST_WORD:
        raise ValidationError(
            _("A word has %(shortest)s to %(longest)s letters and digits."),
            code="word",
            params={"shortest": SHORTEST_WORD, "longest": LONGEST_WORD},
        )
    if _looks_like_a_code(key):
        raise ValidationError(
            _(
                "A word of %(shortest)s to %(longest)s symbols with a digit looks like a mistyped single code. "
                "Make it shorter or longer, or leave the digits out."
            ),
            code="word",
            params={"shortest": LIKE_A_CODE.start, "longest": LIKE_A_CODE.stop - 1},
        )
    return key


def is_code(key: str) -> bool:
    """Return whether a stored form has the length, the symbols and the check symbol of a single code."""
    return len(key) == LENGTH and all(symbol in _VALUES for symbol in key) and _check_symbol(key[:-1]) == key[-1]


def _symbols(text: str) -> str:
    """Return the letters and digits of a text in upper case. Raises ``TypingError`` if it holds anything else."""
    if not isinstance(text, str) or len(text) > MAX_INPUT:
        raise TypingError
    plain = _plain(text)
    # Looked at before the change of case, which would turn some foreign letters into ours.
    if not (plain.isascii() and plain.isalnum()):
        raise TypingError
    return plain.upper()


def _plain(text: str) -> str:
    """Return a text without spaces and dashes. A phone's keyboard makes long ones of short ones."""
    plain = unicodedata.normalize("NFKC", text)
    return "".join(symbol for symbol in plain if not symbol.isspace() and unicodedata.category(symbol) != "Pd")


def _looks_like_a_code(key: str) -> bool:
    return len(key) in LIKE_A_CODE and not _CLEAR_DIGITS.isdisjoint(key)


def display(code: str) -> str:
    """Return a stored code in the form that is shown and printed: ``XXXX-XXXX-XXXX``; a foreign one as it is."""
    if len(code) != LENGTH:
        return code
    return "-".join(code[start : start + 4] for start in range(0, len(code), 4))


def masked(code: str) -> str:
    """Return enough of a stored code to recognise it in a log, and too little to use it."""
    return f"{code[: min(4, len(code) // 3)]}-****-****"
