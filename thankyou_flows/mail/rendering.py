"""Mails out of blocks: HTML in one layout, and text of the same blocks."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from django.template.loader import render_to_string
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import gettext as _

from ..conf import app_settings
from ..models import Ground, MessageKind
from .composing import Mail
from .placeholders import clean_value, fill_line
from .writing import html_to_text, join, wrap

if TYPE_CHECKING:
    from ..followups.facts import MailFacts

TEMPLATE = "thankyou_flows/email/followup.html"


@dataclass(frozen=True, kw_only=True)
class Foot:
    """What stands below a mail: why it came, how to stop it, and who wrote it."""

    why: tuple[str, ...] = ()
    #: Label and address.
    links: tuple[tuple[str, str], ...] = ()
    sender: tuple[str, ...] = ()

    def as_text(self) -> str:
        """Return it as plain text, addresses on lines of their own, so that no mail program cuts them off."""
        links = (f"{label}:\n{address}" for label, address in self.links)
        return join([*self.why, *links, "\n".join(self.sender)])


@dataclass(frozen=True, kw_only=True)
class Written:
    """A mail, and whether its blocks had anything to say."""

    mail: Mail
    has_content: bool


def write(
    *,
    subject: str,
    body: Iterable[Any],
    facts: MailFacts,
    kind: str,
    preheader: str = "",
    ground: str = "",
    list_title: str = "",
    tags: tuple[str, ...] = (),
) -> Written:
    """Write a mail out of the blocks of a StreamField, in the active language. Changes nothing.

    ``ground`` is on which ground it may be sent (``models.Ground``), for the sentence that says why it came;
    ``list_title`` names the list of a consent. Raises ValueError if mail that is not transactional has no link to
    unsubscribe: it must not go out (EM-5).
    """
    is_marketing = kind != MessageKind.TRANSACTIONAL
    if is_marketing and not facts.unsubscribe_url:
        raise ValueError("A mail that is not transactional needs a link to unsubscribe.")
    parts, texts, has_content = _render(body, facts)
    line = fill_line(subject, facts)
    foot = make_foot(facts=facts, kind=kind, ground=ground, list_title=list_title)
    context = {
        "subject": line,
        "preheader": fill_line(preheader, facts),
        "site_name": clean_value(facts.shop_name),
        "parts": parts,
        "foot": foot,
        "facts": facts,
    }
    text = join([*texts, f"--\n{clean_value(facts.shop_name)}", foot.as_text()])
    mail = Mail(
        subject=line,
        text=wrap(text) + "\n",
        html=render_to_string(TEMPLATE, context),
        tags=tags,
        secrets=_secrets(facts),
    )
    return Written(mail=mail, has_content=has_content)


def _render(body: Iterable[Any], facts: MailFacts) -> tuple[list[SafeString], list[str], bool]:
    parts: list[SafeString] = []
    texts: list[str] = []
    has_content = False
    for child in body:
        html = str(child.render({"facts": facts}))
        if not html.strip():
            continue
        render_text = getattr(child.block, "render_text", None)
        text = render_text(child.value, facts) if render_text else html_to_text(html)
        has_content = has_content or child.block_type != "divider"
        parts.append(mark_safe(html))  # noqa: S308  blocks escape what they show
        texts.append(text)
    return parts, texts, has_content


def make_foot(*, facts: MailFacts, kind: str, ground: str = "", list_title: str = "") -> Foot:
    """Return what stands below a mail of this kind: for mail that is not transactional also the way out (EM-5) and who
    writes (``MAIL_FOOTER``).
    """
    if kind == MessageKind.TRANSACTIONAL:
        return Foot(why=(_why_transactional(facts),))
    links = [(_("Unsubscribe"), facts.unsubscribe_url)]
    if facts.preferences_url and facts.preferences_url != facts.unsubscribe_url:
        links.append((_("Choose what you get"), facts.preferences_url))
    sender = (clean_value(line, limit=None) for line in app_settings.mail_footer.splitlines())
    return Foot(
        why=(why_sentence(facts=facts, kind=kind, ground=ground, list_title=list_title),),
        links=tuple(links),
        sender=tuple(line for line in sender if line),
    )


def why_sentence(*, facts: MailFacts, kind: str, ground: str = "", list_title: str = "") -> str:
    """Return "You get this because …", on the ground on which it is sent (EM-11)."""
    shop = clean_value(facts.shop_name) or urlsplit(facts.base_url).netloc
    has_consented = ground == Ground.CONSENT or (not ground and (kind == MessageKind.NEWSLETTER or facts.order is None))
    if not has_consented:
        sentence = _("You get this because you ordered at %(shop)s. You can say no to mails like this one at any time.")
        return sentence % {"shop": shop}
    if list_title:
        return _("You get this because you signed up for “%(list)s” at %(shop)s.") % {
            "list": clean_value(list_title),
            "shop": shop,
        }
    return _("You get this because you signed up for mails from %(shop)s.") % {"shop": shop}


def _why_transactional(facts: MailFacts) -> str:
    shop = clean_value(facts.shop_name) or urlsplit(facts.base_url).netloc
    if facts.order is not None:
        return _("You get this because of your order %(number)s at %(shop)s.") % {
            "number": clean_value(facts.order.number),
            "shop": shop,
        }
    return _("You get this because it answers what you asked %(shop)s for.") % {"shop": shop}


def _secrets(facts: MailFacts) -> tuple[str, ...]:
    """Return the tokens in the mail's links: what is kept of it shows them masked (TY-4)."""
    if facts.is_preview:
        return ()
    found = [token_of(facts.unsubscribe_url), token_of(facts.preferences_url)]
    coupon = facts.coupon
    if coupon is not None and coupon.state == coupon.State.LOCKED:
        from coupons.links import make_token

        found.append(make_token(coupon))
    return tuple(dict.fromkeys(token for token in found if token))


def token_of(url: str) -> str:
    """Return the last part of an address's path, where our links have their token."""
    return urlsplit(url).path.rstrip("/").rpartition("/")[2]
