"""Delete what is past its time, in all three apps; meant for cron, once a day (EM-13)."""

from __future__ import annotations

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from coupons.exceptions import CouponBusy

from ...privacy.purging import PurgeRunning, purge


class Command(BaseCommand):
    help = (
        "Delete or blank what is past its time (THANKYOU_FLOWS['KEEP_…']), and do what prune_coupons and prune_lists do. "
        "Prints one line for each kind."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--dry-run", action="store_true", help="change nothing, and say what would go")

    def handle(self, *args: Any, **options: Any) -> None:
        dry_run: bool = options["dry_run"]
        try:
            counts = purge(dry_run=dry_run)
        except PurgeRunning:
            self.stdout.write("Another purge is at work; this one has nothing to do.")
            return
        except CouponBusy as busy:
            raise CommandError("The checkout needed the coupons more. What is left goes with the next run.") from busy
        for name, count in counts.items():
            self.stdout.write(f"{'would go' if dry_run else 'gone'}: {name}: {count}")
