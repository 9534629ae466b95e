"""Recompute every counter of ``coupons`` and say what does not add up; exits with 1 if anything does not (CO-11)."""

from __future__ import annotations

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from ...verifying import repair, verify


class Command(BaseCommand):
    help = "Recompute every counter from the redemptions. Prints each drift, and exits with 1 if there is one."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--repair", action="store_true", help="put right what can be recomputed, then look again")

    def handle(self, *args: Any, **options: Any) -> None:
        drifts = verify()
        for drift in drifts:
            self.stdout.write(str(drift))
        if options["repair"] and drifts:
            repaired = repair(drifts)
            drifts = verify()
            self.stdout.write(f"repaired={len(repaired)}")
        self.stdout.write(f"drift={len(drifts)}")
        if drifts:
            raise CommandError(f"{len(drifts)} drifts", returncode=1)
