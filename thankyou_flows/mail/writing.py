"""Addresses and texts as mails need them: whole addresses, and HTML told again as plain text."""

from __future__ import annotations

import re
import textwrap
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlsplit

from bs4 import BeautifulSoup, Comment, Tag
from bs4.element import NavigableString
from django.core.exceptions import ValidationError
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import gettext as _

from .placeholders import fill_html

if TYPE_CHECKING:
    from ..followups.facts import MailFacts

#: What a link in a mail may begin with (EM-8).
SCHEMES: Final = frozenset({"http", "https", "mailto"})
#: Columns of the plain text.
WIDTH: Final = 72
_PARAGRAPHS: Final = frozenset(
    {"blockquote", "body", "div", "h1", "h2", "h3", "h4", "hr", "ol", "p", "table", "tbody", "td", "tr", "ul"}
)
#: Stands for two spaces until all else is tidy; a character that no text has.
_INDENT: Final = "\ue000"
_UNFIT: Final = ["embed", "iframe", "img", "link", "object", "script", "style"]


def absolute_url(url: object, *, base_url: str) -> str:
    """Return an address as it can stand in a mail: whole, and http, https or mailto; empty if it cannot be one (EM-8).

    ``base_url`` ("https://shop.example") goes before a path.
    """
    text = str(url or "").strip()
    if not text or re.search(r"[\x00-\x20\x7f-\x9f\\<>\"]", text):
        # Browsers drop line ends inside "java\nscript:", and read a backslash as a slash.
        return ""
    if text.startswith("//"):
        text = f"https:{text}"
    elif text.startswith("/"):
        text = f"{base_url.rstrip('/')}{text}"
    try:
        parts = urlsplit(text)
    except ValueError:
        return ""
    if parts.scheme.lower() not in SCHEMES:
        return ""
    return text if parts.netloc or (parts.scheme.lower() == "mailto" and parts.path) else ""


def validate_address(text: object) -> None:
    """Refuse an address that could not stand in a mail. A path of the site is welcome; two slashes are a slip of the pen."""
    if str(text).strip().startswith("//") or not absolute_url(text, base_url="https://shop.example"):
        raise ValidationError(
            _("Write an address that begins with https://, http:// or mailto:, or a path of this site (/tea/)."),
            code="address",
        )


def rich_html(source: object, facts: MailFacts) -> SafeString:
    """Return rich text for a mail: placeholders filled, links whole. What a link may not lead to is a link no more."""
    from wagtail.rich_text import expand_db_html

    html = expand_db_html(str(getattr(source, "source", source) or ""))
    soup = BeautifulSoup(fill_html(html, facts), "html.parser")
    for tag in soup(_UNFIT):
        tag.decompose()
    for link in soup("a"):
        url = absolute_url(link.get("href"), base_url=facts.base_url)
        if url:
            link.attrs = {"href": url}
        else:
            link.unwrap()
    return mark_safe(str(soup))  # noqa: S308  Wagtail's own clean HTML, with escaped values in it


def html_to_text(html: str) -> str:
    """Tell HTML again as plain text: paragraphs, lists, and links with their address. What is hidden is left out."""
    soup = BeautifulSoup(html, "html.parser")
    paragraphs = "".join(_tell(soup.body or soup)).split("\f")
    tidy = (_tidy(paragraph) for paragraph in paragraphs)
    return join(paragraph for paragraph in tidy if paragraph).replace(_INDENT, "  ")


def _tell(node: Tag) -> Iterator[str]:
    """Yield a tag's text; a form feed parts paragraphs."""
    number = 0
    for child in node.children:
        if isinstance(child, Comment):
            continue
        if isinstance(child, NavigableString):
            yield re.sub(r"\s+", " ", str(child))
        elif isinstance(child, Tag) and not _is_hidden(child):
            if child.name == "li":
                number += 1
                mark = f"{number}. " if node.name == "ol" else "* "
                lines = (_tidy(part) for part in "".join(_tell(child)).split("\f"))
                yield f"\f{mark}" + "\n".join(filter(None, lines)).replace("\n", f"\n{_INDENT}") + "\f"
            else:
                yield from _tell_tag(child)


def _tell_tag(tag: Tag) -> Iterator[str]:
    if tag.name == "br":
        yield "\n"
    elif tag.name == "img":
        yield f"\f{tag.get('alt') or ''}\f"
    elif tag.name == "a":
        yield link_as_text("".join(_tell(tag)), str(tag.get("href") or ""))
    elif tag.name in _PARAGRAPHS:
        yield "\f"
        yield from _tell(tag)
        yield "\f"
    else:
        yield from _tell(tag)


def _is_hidden(tag: Tag) -> bool:
    style = str(tag.get("style") or "").replace(" ", "")
    return (
        tag.name in {"head", "script", "style", "title"} or "display:none" in style or tag.get("aria-hidden") == "true"
    )


def _tidy(text: str) -> str:
    return "\n".join(" ".join(line.split()) for line in text.strip().split("\n")).strip()


def link_as_text(label: str, url: str) -> str:
    """Return a link within a sentence: "our guide <https://shop.example/guide/>"; the address alone if it is the label."""
    label = " ".join(label.split())
    if not url or label in {url, url.removeprefix("mailto:")}:
        return label or url
    return f"{label} <{url}>" if label else url


def wrap(text: str) -> str:
    """Break long lines between words, never within an address; lines of a list stay below their mark."""
    return "\n".join(_wrapped(line) for line in text.split("\n"))


def _wrapped(line: str) -> str:
    if len(line) <= WIDTH:
        return line.rstrip()
    indent = re.match(r"\s*(?:\* |\d+\. )?", line)
    hanging = " " * len(indent[0]) if indent else ""
    return textwrap.fill(
        line, width=WIDTH, subsequent_indent=hanging, break_long_words=False, break_on_hyphens=False
    ).rstrip()


def join(paragraphs: Iterable[Any]) -> str:
    """Put paragraphs below each other: an empty line between them, none between the lines of a list."""
    text, before = "", ""
    for paragraph in (str(each).strip("\n") for each in paragraphs):
        if not paragraph.strip():
            continue
        both_listed = bool(_LISTED.match(before) and _LISTED.match(paragraph))
        text += ("\n" if both_listed else "\n\n") + paragraph if text else paragraph
        before = paragraph
    return text


_LISTED: Final = re.compile(r"(?:\* |\d+\. )")
