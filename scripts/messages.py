"""Bring the translations in ``locale/`` up to date with the code: ``make messages``.

Needs no gettext tools: Babel reads the Python files, and Django turns templates into something that Babel can read. The
catalogues hold neither dates nor line numbers, so that they change only when a text does.

    messages.py                take up new texts, drop those that are gone
    messages.py --check        change nothing; exit with 1 if there is something to take up or to drop
    messages.py --compile      write the .mo files that Django reads
    messages.py --add fr       begin a translation
"""

from __future__ import annotations

import argparse
import io
import re
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from babel.messages.catalog import Catalog
from babel.messages.extract import extract
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po, write_po
from django.utils.translation.template import templatize

ROOT = Path(__file__).resolve().parent.parent
LOCALE = ROOT / "locale"
APPS = ("coupons", "thankyou_flows", "wishlists")
TEMPLATES = "templates"

#: Which arguments of these are texts: all of Django's names, the lazy ones included.
KEYWORDS: dict[str, Any] = {"_": None}
for suffix in ("", "_lazy"):
    KEYWORDS |= {
        f"gettext{suffix}": None,
        f"ngettext{suffix}": (1, 2),
        f"pgettext{suffix}": ((1, "c"), 2),
        f"npgettext{suffix}": ((1, "c"), 2, 3),
    }
#: Begins a comment that is meant for translators, in Python and in templates, as Django has it.
COMMENT_TAG = "Translators"

HEADER = """\
# Translations of wagtail-thankyou-flows.
# This file is distributed under the same license as the package.
#"""
#: What Babel writes about itself, about people and about the time; what is left says how to read the file.
NOISE = re.compile(
    r'^"(Project-Id-Version|Report-Msgid-Bugs-To|POT-Creation-Date|PO-Revision-Date|Last-Translator|Language-Team'
    r"|Generated-By): .*\n",
    re.MULTILINE,
)


def say(text: str) -> None:
    sys.stdout.write(f"{text}\n")


def sources() -> Iterator[Path]:
    """Yield every file of ours that may hold a text, in an order that is always the same."""
    for app in APPS:
        yield from sorted(path for path in (ROOT / app).rglob("*.py") if "migrations" not in path.parts)
    yield from sorted(path for path in (ROOT / TEMPLATES).rglob("*") if path.suffix in {".html", ".txt"})


def as_python(path: Path) -> bytes:
    """Return the file as Python that Babel can read."""
    text = path.read_text(encoding="utf-8")
    if path.suffix != ".py":
        # Indentation means nothing in a template, and would stop Python's tokenizer.
        lines = templatize(text, origin=str(path.relative_to(ROOT))).splitlines()
        text = "\n".join(line.lstrip() for line in lines)
    return text.encode()


def extracted() -> Catalog:
    """Return all texts of the three apps and their templates."""
    catalogue = Catalog(charset="utf-8", fuzzy=False)
    for path in sources():
        found = extract("python", io.BytesIO(as_python(path)), KEYWORDS, [COMMENT_TAG], options={"encoding": "utf-8"})
        for _line, message, comments, context in found:
            catalogue.add(message, auto_comments=comments, context=context)
    return catalogue


def catalogues() -> list[Path]:
    return sorted(LOCALE.glob("*/LC_MESSAGES/django.po"))


def load(path: Path) -> Catalog:
    """Read one catalogue; its language is the name of its folder."""
    with path.open("rb") as file:
        return read_po(file, locale=path.parent.parent.name, domain="django", abort_invalid=True)


def renewed(path: Path, texts: Catalog) -> str:
    """Return what the catalogue should hold: all ``texts`` and what is translated of them.

    A text that was only reworded keeps its translation, marked as fuzzy: somebody has to look at it.
    """
    catalogue = load(path)
    catalogue.update(texts, update_header_comment=False)
    catalogue.obsolete.clear()
    return as_text(catalogue)


def as_text(catalogue: Catalog) -> str:
    catalogue.header_comment = HEADER
    catalogue.fuzzy = False
    file = io.BytesIO()
    # Long lines are not wrapped: one changed word changes one line.
    write_po(file, catalogue, width=0, no_location=True, ignore_obsolete=True)
    return NOISE.sub("", file.getvalue().decode())


def update(*, check: bool) -> int:
    """Renew all catalogues, or only say which are behind; return the exit status."""
    texts = extracted()
    behind = 0
    for path in catalogues():
        text = renewed(path, texts)
        changed = text != path.read_text(encoding="utf-8")
        behind += changed
        if changed and not check:
            path.write_text(text, encoding="utf-8")
        catalogue = read_po(io.StringIO(text), locale=path.parent.parent.name)
        open_ = sum(1 for message in catalogue if message.id and not is_translated(message))
        fuzzy = sum(1 for message in catalogue if message.id and message.fuzzy)
        state = ("is behind the code: run make messages" if check else "renewed") if changed else "up to date"
        say(f"{path.relative_to(ROOT)}: {state}; {len(catalogue)} texts, {open_} untranslated, {fuzzy} to look at")
    return 1 if check and behind else 0


def is_translated(message: Any) -> bool:
    texts = message.string if isinstance(message.string, (list, tuple)) else [message.string]
    return bool(texts) and all(texts)


def add(language: str) -> int:
    """Begin the catalogue of a language."""
    path = LOCALE / language / "LC_MESSAGES" / "django.po"
    if path.exists():
        say(f"{path.relative_to(ROOT)} is there already.")
        return 1
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(as_text(Catalog(locale=language, domain="django", charset="utf-8", fuzzy=False)), encoding="utf-8")
    return update(check=False)


def compile_catalogue(path: Path, target: Path) -> None:
    """Write what Django reads. What is marked as fuzzy stays out of it, and is shown in English."""
    target.parent.mkdir(parents=True, exist_ok=True)
    with target.open("wb") as file:
        write_mo(file, load(path))


def main(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    choice = parser.add_mutually_exclusive_group()
    choice.add_argument("--check", action="store_true", help="change nothing; exit with 1 if a catalogue is behind")
    choice.add_argument("--compile", action="store_true", help="write the .mo files")
    choice.add_argument("--add", metavar="LANGUAGE", help="begin a translation, for example fr or pt_BR")
    options = parser.parse_args(arguments)
    if options.add:
        return add(options.add)
    status = 0 if options.compile else update(check=options.check)
    if not options.check:
        for path in catalogues():
            compile_catalogue(path, path.with_suffix(".mo"))
    return status


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
