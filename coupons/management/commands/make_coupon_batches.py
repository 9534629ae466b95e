"""Make the codes that were ordered in bulk; meant for cron, or with ``--loop`` as a worker."""

from __future__ import annotations

import time
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand

from ...bulk import work_all


class Command(BaseCommand):
    help = "Make the codes of all batches that wait for it. Safe to run at any time, by any number of workers."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--loop", action="store_true", help="go on for ever, and look for new batches")
        parser.add_argument("--pause", type=float, default=5, help="seconds between two looks (default: %(default)s)")

    def handle(self, *args: Any, **options: Any) -> None:
        made = work_all()
        self.stdout.write(f"made={made}")
        while options["loop"]:
            time.sleep(options["pause"])
            if made := work_all():
                self.stdout.write(f"made={made}")
