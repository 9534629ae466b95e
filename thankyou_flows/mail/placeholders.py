"""The few placeholders that an editor may write in a mail. They are filled in, and nothing is evaluated (EM-8)."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import quote

from django.core.exceptions import ValidationError
from django.utils.html import escape
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from ..texts import fill, format_deadline_in_full

if TYPE_CHECKING:
    from ..followups.facts import MailFacts

#: Name → what is filled in, in the owner's words.
PLACEHOLDERS: Final[Mapping[str, Any]] = {
    "first_name": gettext_lazy("the customer's first name"),
    "order_number": gettext_lazy("the number of the order"),
    "shop_name": gettext_lazy("the name of your shop"),
    "coupon_code": gettext_lazy("the code of the coupon"),
    "coupon_worth": gettext_lazy("what the coupon is worth"),
    "coupon_until": gettext_lazy("until when the coupon is valid"),
    "title": gettext_lazy("the name of the list, the download, or what else the mail is about"),
}

#: No name or title is longer; what is longer is no name.
LONGEST_VALUE: Final = 150
#: What somebody may have meant as a placeholder.
_LOOKS_LIKE_ONE: Final = re.compile(r"\{([^{}\n]{1,60})\}")
#: Marks that turn the direction of all the text behind them: a name has no business with them.
_TURNING: Final = frozenset("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")


def clean_value(text: object, *, limit: int | None = LONGEST_VALUE) -> str:
    """Return a text as one line: control characters, line ends and marks that turn text around are removed, so that it
    can stand in a header (EM-8).
    """
    kept = (_plain(character) for character in str(text))
    return " ".join("".join(kept).split())[:limit].strip()


def _plain(character: str) -> str:
    if unicodedata.category(character) in {"Cc", "Zl", "Zp", "Cs"}:
        return " "
    return "" if character in _TURNING else character


def values_of(facts: MailFacts) -> dict[str, str]:
    """Return what the placeholders stand for in one mail, as plain text; empty where there is nothing to say."""
    coupon, order = facts.coupon, facts.order
    end = coupon.valid_until if coupon is not None else None
    # The code of a locked coupon is a secret until the questions are answered (CO-9).
    is_open = coupon is not None and coupon.state == coupon.State.AVAILABLE
    return {
        "first_name": clean_value(facts.first_name),
        "order_number": clean_value(order.number) if order is not None else "",
        "shop_name": clean_value(facts.shop_name),
        "coupon_code": coupon.display_code if coupon is not None and is_open else "",
        "coupon_worth": clean_value(coupon.campaign.headline) if coupon is not None else "",
        "coupon_until": format_deadline_in_full(end) if end is not None else "",
        "title": clean_value(facts.title),
    }


def fill_text(text: object, facts: MailFacts) -> str:
    """Fill the placeholders of a plain text. The result is plain text: a template escapes it."""
    return fill(str(text), values_of(facts))


def fill_line(text: object, facts: MailFacts) -> str:
    """Fill the placeholders of a text of one line, for a subject: no line end comes out, whatever goes in (EM-8)."""
    return clean_value(fill_text(text, facts), limit=None)


def fill_html(html: str, facts: MailFacts) -> str:
    """Fill the placeholders of HTML: escaped in text, and quoted in tags, so that a value in an address stays a part of
    it and begins no other one (``javascript:``).
    """
    values = values_of(facts)
    html = re.sub(r"<[^<>]*>", lambda match: _fill_address(match[0], values), html)
    return fill(html, {name: escape(value) for name, value in values.items()})


def fill_url(url: str, facts: MailFacts) -> str:
    """Fill the placeholders of an address; values are quoted."""
    return _fill_address(url, values_of(facts))


def _fill_address(text: str, values: Mapping[str, str]) -> str:
    return re.sub(
        r"\{(\w+)\}", lambda match: quote(values[match[1]], safe="") if match[1] in values else match[0], text
    )


def known_placeholders() -> str:
    """Return all placeholders in a row, for help texts and messages: "{first_name}, {order_number}, …"."""
    return ", ".join(f"{{{name}}}" for name in PLACEHOLDERS)


def validate_placeholders(text: object) -> None:
    """Refuse a text with a placeholder that nobody will fill in: the customer would read it as it stands."""
    for match in _LOOKS_LIKE_ONE.finditer(str(text)):
        if match[1] not in PLACEHOLDERS:
            raise ValidationError(
                _("“%(written)s” would not be filled in. You can write: %(known)s."),
                code="placeholder",
                params={"written": match[0], "known": known_placeholders()},
            )
