"""Styles written into the lines of a mail, because many mail programs drop style sheets."""

from __future__ import annotations

import re
from functools import cache

import css_inline


@cache
def _inliner() -> css_inline.CSSInliner:
    # Nothing is fetched, from nowhere, whatever a template names.
    return css_inline.CSSInliner(load_remote_stylesheets=False)


def inline(html: str) -> str:
    """Return an HTML document with its styles in its lines. A ``<style data-css-inline="keep">`` stays in the head as
    well: for what no line can say, like dark mode.
    """
    inlined = _inliner().inline(html.strip())
    # Mails travel in lines; empty ones that templates leave only weigh.
    return re.sub(r"\n\s*\n+", "\n", inlined).strip() + "\n"
