"""Plan the follow-ups of what nobody reports; meant for cron, every hour or so."""

from __future__ import annotations

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand

from ...followups.looking import look_around


class Command(BaseCommand):
    help = (
        "Look for lists that were not touched, customers who have been quiet, coupons whose end has moved, and news that "
        "nobody heard, and plan their follow-ups; each at most every 15 minutes. Safe to run at any time, and by two at once."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "--force", action="store_true", help="look at everything that is still of interest again, and now"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        self.stdout.write(f"planned={look_around(force=options['force'])}")
