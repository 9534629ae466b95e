"""What stands in the rows of follow-ups and messages, in the owner's words."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Final

from django.utils.translation import gettext, ngettext
from django.utils.translation import gettext_lazy as _

from ..followups.triggers import About, get_trigger
from ..mail.reasons import find_label
from ..models import FollowUpStep, MailingList, Message, Suppression

_ABOUT: Final[Mapping[str, Any]] = {
    About.ORDER: _("Order %(ref)s"),
    About.CUSTOMER: _("Latest order %(ref)s"),
    About.COUPON: _("Coupon no. %(ref)s"),
    About.LIST: _("Saved list no. %(ref)s"),
    About.ITEM: _("Saved product no. %(ref)s"),
    About.INQUIRY: _("Question no. %(ref)s"),
    About.SUBSCRIPTION: _("Sign-up no. %(ref)s"),
    About.DOWNLOAD: _("Download: %(ref)s"),
}


def trigger_in_words(key: str) -> str:
    """Return what can lead to a mail as its owner reads it; a trigger that nobody registers any more by its key."""
    trigger = get_trigger(key)
    return str(trigger.label) if trigger is not None else key


def delay_in_words(step: FollowUpStep, *, before: bool) -> str:
    """Return when a mail goes out: "3 days after", "2 hours before"."""
    if not step.delay:
        return gettext("at the end") if before else gettext("at once")
    spans = {
        FollowUpStep.Unit.MINUTES: ngettext("%(count)s minute", "%(count)s minutes", step.delay),
        FollowUpStep.Unit.HOURS: ngettext("%(count)s hour", "%(count)s hours", step.delay),
        FollowUpStep.Unit.DAYS: ngettext("%(count)s day", "%(count)s days", step.delay),
    }
    span = spans[FollowUpStep.Unit(step.delay_unit)] % {"count": step.delay}
    return (gettext("%(span)s before") if before else gettext("%(span)s after")) % {"span": span}


def when_in_words(key: str, steps: Iterable[FollowUpStep]) -> str:
    """Return when the mails go out, in a line: "An order was delivered: 3 days after"."""
    trigger = get_trigger(key)
    before = trigger is not None and trigger.before_end
    delays = [delay_in_words(step, before=before) for step in steps]
    when = trigger_in_words(key)
    return f"{when}: {', '.join(delays)}" if delays else gettext("%(when)s: no mail yet") % {"when": when}


def reason_in_words(message: Message) -> str:
    """Return why a message was planned."""
    return find_label(message.reason) or trigger_in_words(message.reason)


def about_in_words(message: Message) -> str:
    """Return what a message is about: the order, the coupon; empty if that is nothing in particular."""
    trigger = get_trigger(message.reason)
    if not message.ref:
        return ""
    return str(_ABOUT[trigger.about]) % {"ref": message.ref} if trigger is not None else message.ref


def scope_in_words(scope: str, titles: Mapping[str, str] | None = None) -> str:
    """Return what is not sent to somebody. ``titles``: the names of the lists by their slugs, if they are known."""
    if scope == Suppression.MARKETING:
        return gettext("Everything but what orders need")
    if scope == Suppression.FOLLOW_UPS:
        return gettext("Follow-ups")
    slug = scope.removeprefix(Suppression.LIST_PREFIX)
    return gettext("The list “%(title)s”") % {"title": (titles or {}).get(slug, slug)}


def list_titles() -> dict[str, str]:
    """Return the names of all lists by their slugs, with one query."""
    return dict(MailingList.objects.values_list("slug", "title"))
