"""What the shop's people should know when nothing runs: mail that nobody sends, and steps that nobody looks for (OP-5)."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Final

from django.db.models import Exists, Q
from django.utils import timezone
from django.utils.functional import cached_property
from django.utils.translation import gettext, ngettext

from ..followups.triggers import all_triggers
from ..models import FollowUp, LastLook, Message

#: A mail that is due for so long has been forgotten: commands and workers come by far more often.
PATIENCE: Final = timedelta(hours=1)
#: The command that looks runs every hour or so: a follow-up that was switched on just now is no news.
SETTLING: Final = timedelta(hours=2)
#: So many follow-ups are named.
NAMED: Final = 5


def find_standstill(*, now: datetime | None = None) -> Iterator[str]:
    """Yield a line for each thing that stands still; nothing while all is well. Two queries."""
    now = now or timezone.now()
    since = now - PATIENCE
    left_lying = Q(state__in=[Message.State.CLAIMED, Message.State.ATTEMPTING], lease_until__lte=since)
    overdue = Message.objects.filter(Q(state=Message.State.PLANNED, due_at__lte=since) | left_lying).order_by().count()
    if overdue:
        yield ngettext(
            "One mail is overdue: nobody sends it. Ask your developer to run send_due_messages.",
            "%(count)s mails are overdue: nobody sends them. Ask your developer to run send_due_messages.",
            overdue,
        ) % {"count": overdue}
    looked_for = [trigger.key for trigger in all_triggers() if trigger.looked_for]
    is_new = Q(switched_on_at__gt=now - SETTLING)
    waiting = FollowUp.objects.filter(~is_new, ~Exists(LastLook.objects.all()), is_on=True, trigger__in=looked_for)
    for title in waiting.order_by("pk").values_list("title", flat=True)[:NAMED]:
        yield gettext(
            "“%(title)s” is looked for by plan_follow_ups, which has never run. Ask your developer to run it every hour."
        ) % {"title": title}


class StandstillMixin:
    """A list that says above it what stands still."""

    @cached_property
    def standstill(self) -> list[str]:
        return list(find_standstill())
