"""The examples of the page "Coupons API" run as they stand there, and its table of errors is the tree of the code."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.utils import translation

from coupons.exceptions import CouponError

PAGE = Path(__file__).resolve().parents[2] / "docs" / "reference" / "coupons-api.md"
BLOCK = re.compile(r"^```python\n(.*?)^```$", re.MULTILINE | re.DOTALL)


def examples() -> Iterator[str]:
    """Yield the Python blocks of the page, each moved down so that a traceback names the page's own line."""
    text = PAGE.read_text(encoding="utf-8")
    for block in BLOCK.finditer(text):
        yield "\n" * text.count("\n", 0, block.start(1)) + block.group(1)


@pytest.mark.django_db
def test_the_examples_run_from_top_to_bottom() -> None:
    """Issue 3: the functions are the public API, with an example each; this page cannot go stale."""
    names: dict[str, Any] = {}
    blocks = list(examples())
    with translation.override("en"):
        for block in blocks:
            exec(compile(block, str(PAGE), "exec"), names)  # noqa: S102 - our own page
    assert len(blocks) > 15


def errors(cls: type[CouponError]) -> Iterator[tuple[str, str, str]]:
    """Yield (code, class, text) of an error and of all below it."""
    for code in (cls.default_code, *cls.texts):
        yield code, cls.__name__, str(cls.texts.get(code, cls.text))
    for below in cls.__subclasses__():
        if below.__module__ == CouponError.__module__:
            yield from errors(below)


def test_every_error_is_there_with_its_codes_and_texts() -> None:
    """Issue 3: one tree of exceptions that carry a stable code and translatable text. The table is that tree."""
    rows = re.findall(r"^\| `(\w+)` \| `(\w+)`(?:, an? `(\w+)`)? \| (.*?) \|", PAGE.read_text(encoding="utf-8"), re.M)
    with translation.override("en"):
        assert [(code, name, text) for code, name, _kind, text in rows] == list(errors(CouponError))
    kinds = {name: kind for _code, name, kind, _text in rows}
    parents = {below.__name__: below.__bases__[0].__name__ for below in _all(CouponError)}
    assert {name: kind for name, kind in kinds.items() if kind} == {
        name: parent for name, parent in parents.items() if parent != "CouponError"
    }


def _all(cls: type[CouponError]) -> Iterator[type[CouponError]]:
    for below in cls.__subclasses__():
        if below.__module__ == CouponError.__module__:
            yield below
            yield from _all(below)
