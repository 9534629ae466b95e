"""Delete what is past its time: receipts, questions, statistics, old items, gift marks, news; for cron, once a day."""

from __future__ import annotations

from argparse import ArgumentParser
from dataclasses import asdict
from typing import Any

from django.core.management.base import BaseCommand

from ...pruning import prune


class Command(BaseCommand):
    help = (
        "Delete old receipts of merges, questions, statistics, items of comparisons and of recently viewed products, gift "
        "marks of lists that are not shared any more, catalogue news and empty lists."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--dry-run", action="store_true", help="delete nothing, and say what would go")

    def handle(self, *args: Any, **options: Any) -> None:
        pruned = prune(dry_run=options["dry_run"])
        counts = " ".join(f"{name}={count}" for name, count in asdict(pruned).items())
        self.stdout.write(f"would_go: {counts}" if options["dry_run"] else f"gone: {counts}")
