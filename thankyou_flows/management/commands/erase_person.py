"""Erase a person from all three apps (GDPR 17)."""

from __future__ import annotations

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from coupons.exceptions import CouponBusy

from ...privacy.erasing import erase_person
from ...privacy.exporting import count_person
from ...privacy.person import find_person
from ..people import add_person_arguments, hint_of, person_meant


class Command(BaseCommand):
    help = (
        "Erase a person from coupons, lists, mails and our records of orders. The shop's own orders and accounts are not "
        "touched. It cannot be undone."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        add_person_arguments(parser)
        parser.add_argument("--yes", action="store_true", help="do not ask")

    def handle(self, *args: Any, **options: Any) -> None:
        meant = person_meant(options)
        if hint := hint_of(meant):
            self.stderr.write(hint)
        if not options["yes"]:
            self._ask(meant)
        try:
            counts = erase_person(**meant)
        except CouponBusy as busy:
            raise CommandError("The database was too busy; nothing was erased. Please try again.") from busy
        for label, count in counts.items():
            self.stdout.write(f"{label}: {count}")
        self.stdout.write("Erased." if counts else "There was nothing to erase.")

    def _ask(self, meant: dict[str, Any]) -> None:
        for label, count in count_person(find_person(**meant)).items():
            self.stdout.write(f"{label}: {count}")
        if input("This cannot be undone. Type “yes” to erase it: ").strip().lower() != "yes":
            raise CommandError("Nothing was erased.")
