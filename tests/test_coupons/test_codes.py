"""Codes that people type (CO-5)."""

from __future__ import annotations

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from coupons import codes
from coupons.exceptions import InvalidCode, TypingError

#: Fixed, so that the names of the tests are the same in every worker.
CODE = "ACNQQ4DWY5VH"


def replaced(code: str, position: int, symbol: str) -> str:
    return code[:position] + symbol + code[position + 1 :]


def test_generated_codes_are_twelve_symbols_of_the_alphabet_and_differ() -> None:
    """CO-5: length, alphabet and uniqueness."""
    made = {codes.generate() for _ in range(100_000)}
    assert len(made) == 100_000
    assert {len(code) for code in made} == {12}
    assert set("".join(made)) == set("0123456789ABCDEFGHJKMNPQRSTVWXYZ")


def test_generated_codes_come_from_the_secure_source(monkeypatch: pytest.MonkeyPatch) -> None:
    """CO-5: ``secrets`` decides all 55 bits, and again for a code that could pass for a word."""
    asked, drawn = [], iter([0, 0x1234567890ABC])
    monkeypatch.setattr(codes.secrets, "randbits", lambda bits: asked.append(bits) or next(drawn))
    assert codes.generate() != "0" * 12
    assert asked == [55, 55]


def test_a_code_has_two_digits_that_no_letter_is_mistaken_for() -> None:
    """CO-5: one of them mistyped leaves the other, so a mistyped code never passes for a word."""
    for _ in range(2000):
        assert sum(symbol in "23456789" for symbol in codes.generate()) >= 2


@pytest.mark.parametrize("run", range(20))
def test_every_single_wrong_symbol_is_noticed(run: int) -> None:
    """CO-5: the check symbol detects all substitutions."""
    sample = codes.generate()
    for position, symbol in itertools.product(range(12), codes.ALPHABET):
        if symbol != sample[position]:
            with pytest.raises(TypingError):
                codes.normalise(replaced(sample, position, symbol))


@pytest.mark.parametrize("run", range(20))
def test_a_symbol_too_few_or_too_many_is_noticed(run: int) -> None:
    """CO-5: none of these passes for a word either, however the rest is typed."""
    sample = codes.generate()
    for position in range(12):
        for wrong in (sample[:position] + sample[position + 1 :], sample[:position] + "A" + sample[position:]):
            with pytest.raises(TypingError):
                codes.normalise(wrong.replace("0", "o").replace("1", "l"))


@pytest.mark.parametrize("run", range(20))
def test_every_swap_of_two_symbols_is_noticed(run: int) -> None:
    """CO-5: the check symbol detects all transpositions, at any distance."""
    sample = codes.generate()
    for one, other in itertools.combinations(range(12), 2):
        if sample[one] != sample[other]:
            swapped = replaced(replaced(sample, one, sample[other]), other, sample[one])
            with pytest.raises(TypingError):
                codes.normalise(swapped)


@pytest.mark.parametrize(
    "typed",
    [
        codes.display(CODE),
        CODE.lower(),
        " ".join(CODE),
        f"\t{CODE[:4]} - {CODE[4:8]} – {CODE[8:]}\n",
        codes.display(CODE).replace("-", "\N{NON-BREAKING HYPHEN}"),
        CODE.replace("0", "O").replace("1", "I"),
        CODE.replace("0", "o").replace("1", "l"),
        "".join(chr(ord(symbol) + 0xFEE0) for symbol in CODE),  # full-width
    ],
)
def test_ways_to_type_a_code(typed: str) -> None:
    """CO-5: every confusable variant is the same code."""
    assert codes.normalise(typed) == CODE


def test_confusable_letters_stand_for_digits() -> None:
    """CO-5: O is 0, I and L are 1."""
    code = next(code for code in iter(codes.generate, None) if "0" in code and code.count("1") > 1)
    typed = code.replace("0", "O").replace("1", "L", 1).replace("1", "i")
    assert codes.normalise(typed) == code


@pytest.mark.parametrize(
    "typed",
    [
        "",
        " ",
        "-" * 12,
        "_" * 12,
        CODE[:-1],
        CODE + CODE[-1],
        replaced(CODE, 0, "U"),
        replaced(CODE, 0, "\N{GREEK CAPITAL LETTER ALPHA}"),
        replaced(CODE, 0, "\N{LATIN SMALL LETTER DOTLESS I}"),
        replaced(CODE, 0, "\N{ARABIC-INDIC DIGIT ONE}"),
        "\N{RIGHT-TO-LEFT OVERRIDE}" + CODE,
        "\N{ZERO WIDTH SPACE}".join(CODE),
        CODE + "\0",
        "\ud800" * 12,
        "\N{LATIN SMALL LETTER SHARP S}" * 6,
        CODE + " " * 100,
        "9" * 1_000_000,
        "\N{ARABIC LIGATURE SALLALLAHOU ALAYHE WASALLAM}" * 100,
    ],
)
def test_what_cannot_be_a_code(typed: str) -> None:
    """CO-5: homoglyphs, direction marks, invisible and overlong input are typing errors, never a crash."""
    with pytest.raises(TypingError) as caught:
        codes.normalise(typed)
    assert isinstance(caught.value, InvalidCode)
    assert caught.value.reason == "typo"


@given(st.text())
def test_any_text_is_survivable(typed: str) -> None:
    """CO-5: the answer is a code or a typing error."""
    try:
        assert codes.normalise(typed) == codes.normalise(codes.display(codes.normalise(typed)))
    except TypingError as error:
        assert error.message


@given(st.text(codes.ALPHABET, min_size=11, max_size=11))
def test_what_is_shown_can_be_typed_in(symbols: str) -> None:
    """CO-5: round trip of the displayed form, for any code with a right check symbol."""
    code = next(symbols + check for check in codes.ALPHABET if codes.is_code(symbols + check))
    shown = codes.display(code)
    assert [len(part) for part in shown.split("-")] == [4, 4, 4]
    assert codes.normalise(shown) == code
    assert code not in codes.masked(code)
