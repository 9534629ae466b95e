"""Plan the follow-ups of what nobody reports; meant for cron, every hour or so."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand

from ...followups.looking import look_around


class Command(BaseCommand):
    help = (
        "Look for lists that were not touched, customers who have been quiet, and coupons whose end has moved, and plan "
        "their follow-ups. Safe to run at any time, and by two at once."
    )

    def handle(self, *args: Any, **options: Any) -> None:
        self.stdout.write(f"planned={look_around()}")
