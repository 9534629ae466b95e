"""The life of one message in words: when it was planned, tried, sent, and what came of it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.utils.formats import date_format
from django.utils.timezone import localtime
from django.utils.translation import gettext, ngettext

from ..models import Message
from .words import about_in_words, reason_in_words


@dataclass(frozen=True, kw_only=True, slots=True)
class Step:
    """One thing that happened, or will."""

    at: datetime
    text: str
    more: str = ""


@dataclass(frozen=True, kw_only=True, slots=True)
class Fact:
    """One line about a message."""

    label: str
    text: str
    url: str = ""


def moment_in_words(moment: datetime) -> str:
    """Return a date and time in the zone of whoever looks."""
    return date_format(localtime(moment), "SHORT_DATETIME_FORMAT")


def steps_of(message: Message, *, counts_clicks: bool = False) -> list[Step]:
    """Return what happened to a message, in its order; the last may lie ahead."""
    steps = [Step(at=message.created_at, text=gettext("Planned"), more=_planned_for(message))]
    if message.state in {Message.State.CLAIMED, Message.State.ATTEMPTING}:
        steps.append(Step(at=message.lease_until or message.due_at, text=str(message.get_state_display())))
    if message.sent_at is not None:
        steps.append(Step(at=message.sent_at, text=gettext("Sent"), more=_attempts(message)))
    elif message.settled_at is not None:
        why = str(message.get_why_not_display()) if message.why_not else message.last_error
        steps.append(Step(at=message.settled_at, text=str(message.get_state_display()), more=why))
    later = [
        (message.delivered_at, gettext("Delivered")),
        (message.clicked_at if counts_clicks else None, gettext("Clicked")),
        (message.converted_at, gettext("Ordered after it")),
        (message.left_at, gettext("Left by it")),
    ]
    steps += [Step(at=at, text=text) for at, text in later if at is not None]
    return sorted(steps, key=lambda step: step.at)


def _planned_for(message: Message) -> str:
    if message.state != Message.State.PLANNED:
        return ""
    if message.why_not:
        # The gate has put it off.
        texts = {"why": message.get_why_not_display(), "when": moment_in_words(message.due_at)}
        return gettext("%(why)s: it waits until %(when)s") % texts
    return gettext("due %(when)s") % {"when": moment_in_words(message.due_at)}


def _attempts(message: Message) -> str:
    if message.attempts < 2:
        return ""
    return ngettext("after %(count)s attempt", "after %(count)s attempts", message.attempts) % {
        "count": message.attempts
    }


def facts_of(message: Message, *, links: dict[str, str]) -> list[Fact]:
    """Return what a message is, line by line; ``links`` says where the follow-up and the coupon are shown."""
    facts: list[tuple[str, Any, str]] = [
        (gettext("To"), message.email or gettext("Erased"), ""),
        (gettext("Why planned"), reason_in_words(message), ""),
        (gettext("What it is about"), about_in_words(message), ""),
        (gettext("Follow-up"), message.follow_up or "", links.get("follow_up", "")),
        (gettext("List"), message.mailing_list or "", ""),
        (gettext("Coupon"), message.coupon.display_code if message.coupon else "", links.get("coupon", "")),
        (gettext("What it is"), message.get_kind_display(), ""),
        (gettext("On which ground"), message.get_ground_display() if message.ground else "", ""),
        (gettext("Why not sent"), _why_not(message), ""),
        (gettext("Happened"), moment_in_words(message.happened_at), ""),
        (gettext("Due"), moment_in_words(message.due_at), ""),
        (gettext("Not after"), moment_in_words(message.expires_at) if message.expires_at else "", ""),
        (gettext("Attempts"), message.attempts or "", ""),
        (gettext("Last error"), message.last_error, ""),
        (gettext("Delivery"), message.get_delivery_display() if message.sent_at else "", ""),
        (gettext("Order after it"), message.converted_order, ""),
        (gettext("Language"), message.language, ""),
        (gettext("Provider’s id"), message.provider_id, ""),
    ]
    return [Fact(label=label, text=str(text), url=url) for label, text, url in facts if str(text)]


def _why_not(message: Message) -> str:
    return str(message.get_why_not_display()) if message.why_not and message.sent_at is None else ""
