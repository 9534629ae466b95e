"""Send the mail that is due; meant for cron, or with ``--every`` as a worker of its own (EM-10, OP-5)."""

from __future__ import annotations

import logging
import signal
from argparse import ArgumentParser, ArgumentTypeError
from collections.abc import Iterator
from contextlib import contextmanager
from threading import Event, current_thread, main_thread
from typing import Any

from django.core.management.base import BaseCommand
from django.db import close_old_connections, connection

from ...mail.errors import for_logs
from ...mail.sending import Report, Run

logger = logging.getLogger(__name__)


def positive(text: str) -> float:
    """Read a number of seconds above zero."""
    try:
        seconds = float(text)
    except ValueError:
        seconds = 0
    if not 0 < seconds <= 86400:
        raise ArgumentTypeError("give a number of seconds above 0, and of a day at most")
    return seconds


def count(text: str) -> int:
    """Read a number of messages above zero."""
    if not text.isdecimal() or not int(text):
        raise ArgumentTypeError("give a whole number above 0")
    return int(text)


class Command(BaseCommand):
    help = "Send the mail that is due. Safe to run at any time, by any number of workers, and to be killed."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--limit", type=count, help="messages to take at most, in each round")
        parser.add_argument(
            "--every", type=positive, metavar="SECONDS", help="go on until SIGTERM or SIGINT, and look again so often"
        )
        parser.add_argument(
            "--plan", action="store_true", help="plan the follow-ups that have to be looked for, before"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        with stopping() as is_stopped:
            if options["every"] is None:
                self._say(self._go(options, is_stopped))
                return
            while not is_stopped.is_set():
                self._try(options, is_stopped)
                is_stopped.wait(options["every"])

    def _try(self, options: dict[str, Any], is_stopped: Event) -> None:
        """Do one round of many: a database that is away now may be back for the next one."""
        try:
            report = self._go(options, is_stopped)
        except Exception as error:
            logger.error("A round of sending mail failed: %s", for_logs(error))
        else:
            if report != Report():
                self._say(report)
        finally:
            if not connection.in_atomic_block:
                close_old_connections()

    def _go(self, options: dict[str, Any], is_stopped: Event) -> Report:
        if options["plan"]:
            from ...followups.looking import look_around

            # Mail that is due does not wait for a slow shop; the next round goes on looking.
            look_around(seconds=10)
        return Run(limit=options["limit"], should_stop=is_stopped.is_set).go()

    def _say(self, report: Report) -> None:
        self.stdout.write(
            f"sent={report.sent} skipped={report.skipped} postponed={report.postponed} "
            f"retried={report.retried} failed={report.failed}"
        )
        self.stdout.flush()


@contextmanager
def stopping() -> Iterator[Event]:
    """Yield what SIGTERM and SIGINT set, so that the message at hand is finished first."""
    is_stopped = Event()
    if current_thread() is not main_thread():
        # Signals belong to the main thread; whoever calls the command from another one ends it otherwise.
        yield is_stopped
        return
    before = {number: signal.signal(number, lambda *_: is_stopped.set()) for number in (signal.SIGTERM, signal.SIGINT)}
    try:
        yield is_stopped
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
