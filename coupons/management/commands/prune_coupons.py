"""Delete what nobody needs any more, and nothing that was ever used; meant for cron, once a week."""

from __future__ import annotations

from argparse import ArgumentParser
from dataclasses import asdict
from datetime import timedelta
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from ...conf import app_settings
from ...pruning import SHORTEST, prune


class Command(BaseCommand):
    help = "Delete old reservations that were never paid, unused coupons of ended campaigns, and outdated answers."

    def add_arguments(self, parser: ArgumentParser) -> None:
        days = app_settings.keep_unused.days
        parser.add_argument("--days", type=int, default=days, help="how old it must be (default: %(default)s)")
        parser.add_argument("--dry-run", action="store_true", help="delete nothing, and say what would go")

    def handle(self, *args: Any, **options: Any) -> None:
        if not SHORTEST.days <= options["days"] <= 36_500:
            raise CommandError(f"--days must be between {SHORTEST.days} and 36500.")
        pruned = prune(older_than=timedelta(days=options["days"]), dry_run=options["dry_run"])
        counts = " ".join(f"{name}={count}" for name, count in asdict(pruned).items())
        self.stdout.write(f"would_go: {counts}" if options["dry_run"] else f"gone: {counts}")
