"""Write down everything that is known of a person, as JSON (GDPR 15 and 20)."""

from __future__ import annotations

import json
import os
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from ...privacy.exporting import export_person
from ..people import add_person_arguments, hint_of, person_meant


class Command(BaseCommand):
    help = "Write down everything that is known of a person, as JSON."

    def add_arguments(self, parser: ArgumentParser) -> None:
        add_person_arguments(parser)
        parser.add_argument("--output", default="", help="a file that is not there yet; without it, to the terminal")

    def handle(self, *args: Any, **options: Any) -> None:
        meant = person_meant(options)
        text = json.dumps(export_person(**meant), ensure_ascii=False, indent=2)
        if options["output"]:
            self._write(options["output"], text)
        else:
            self.stdout.write(text)
        if hint := hint_of(meant):
            self.stderr.write(hint)

    def _write(self, path: str, text: str) -> None:
        try:
            # For the caller's eyes only, and never in the place of another file.
            handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        except FileExistsError:
            raise CommandError(f"{path} is there already. Please choose another name.") from None
        except OSError as error:
            raise CommandError(f"{path} cannot be written: {error.strerror}.") from None
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            file.write(text + "\n")
        self.stdout.write(f"Written to {path}. It is personal data: delete it when it is handed over.")
