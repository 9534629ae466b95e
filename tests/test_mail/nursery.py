"""Workers in processes of their own, which really die: ``test_killing`` and ``test_workers`` raise them.

``python -m tests.test_mail.nursery DATABASE FILE`` starts Django once, and forks a worker for each line it reads: starting
Python anew for each of a hundred deaths would take minutes. The workers' mail backend writes a line into FILE for each mail.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
#: Where a worker can be killed: see ``arm``.
POINTS = ("claimed", "begun", "sent", "recorded")


class Nursery:
    """The test's side."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self._process = process

    def work(self, *, workers: int = 1, **options: Any) -> list[int]:
        """Let so many workers run ``send_due`` at the same time; return how each ended (-9: killed).

        ``die`` is the point at which a worker kills itself, and ``after`` how often it passes there before.
        """
        assert self._process.stdin is not None and self._process.stdout is not None
        self._process.stdin.write(json.dumps({"workers": workers, **options}) + "\n")
        self._process.stdin.flush()
        line = self._process.stdout.readline()
        assert line, "the nursery is gone"
        ends: list[int] = json.loads(line)
        return ends


@contextmanager
def open_nursery(database: str, file: Path) -> Iterator[Nursery]:
    command = [sys.executable, "-m", "tests.test_mail.nursery", database, str(file)]
    environment = {**os.environ, "DJANGO_SETTINGS_MODULE": "tests.settings"}
    with subprocess.Popen(
        command, cwd=ROOT, env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        try:
            yield Nursery(process)
        finally:
            assert process.stdin is not None
            process.stdin.close()
            process.wait(timeout=60)


# The other side


class FileBackend:
    """Writes the recipient of each mail into a file: what is written has been sent."""

    def __init__(self, path: str, passed: Callable[[str], None]) -> None:
        self.path = path
        self.passed = passed

    def open(self) -> None: ...

    def close(self) -> None: ...

    def send_messages(self, emails: list[Any]) -> int:
        for email in emails:
            file = os.open(self.path, os.O_WRONLY | os.O_APPEND | os.O_CREAT)
            os.write(file, f"{email.to[0]}\n".encode())
            os.close(file)
            self.passed("sent")
        return len(emails)


def arm(die: str, after: int) -> Callable[[str], None]:
    """Return what is told each point that is passed, and kills the process at the one it is to die at."""
    passed = 0

    def tell(point: str) -> None:
        nonlocal passed
        if point == die:
            passed += 1
            if passed > after:
                os.kill(os.getpid(), signal.SIGKILL)

    return tell


def tell_after(module: Any, name: str, point: str, tell: Callable[[str], None]) -> None:
    function = getattr(module, name)

    def wrapped(*arguments: Any, **more: Any) -> Any:
        result = function(*arguments, **more)
        if result:
            tell(point)
        return result

    setattr(module, name, wrapped)


def be_careless(claiming: Any) -> None:
    """Take the guards away: look, then take."""
    from thankyou_flows.models import Message

    def claim(*, worker: str, limit: int, now: datetime, ids: Any = None) -> list[Message]:
        found = list(Message.objects.due(now).order_by("due_at", "pk")[:limit])
        # As long as a busy database may take between two statements.
        time.sleep(0.05)
        Message.objects.filter(pk__in=[each.pk for each in found]).update(state="claimed", worker=worker)
        return found

    def move(message: Message, *states: Any, **changes: Any) -> bool:
        return bool(Message.objects.filter(pk=message.pk).update(**changes))

    claiming.claim, claiming._move = claim, move


def be_a_worker(path: str, order: dict[str, Any]) -> None:
    from thankyou_flows.mail import claiming, connections
    from thankyou_flows.mail.sending import send_due

    tell = arm(order.get("die", ""), order.get("after", 0))
    connections.get_connection = lambda: FileBackend(path, tell)
    if order.get("careless"):
        be_careless(claiming)
    tell_after(claiming, "claim", "claimed", tell)
    tell_after(claiming, "begin", "begun", tell)
    tell_after(claiming, "record_sent", "recorded", tell)
    send_due(now=datetime.fromisoformat(order["now"]))


def fork(path: str, order: dict[str, Any]) -> int:
    child = os.fork()
    if child:
        return child
    status = 1
    try:
        be_a_worker(path, order)
        status = 0
    finally:
        sys.stderr.flush()
        os._exit(status)


def main(database: str, path: str) -> None:
    import django
    from django.conf import settings

    settings.DATABASES["default"]["NAME"] = database
    django.setup()
    for line in sys.stdin:
        order = json.loads(line)
        children = [fork(path, order) for _ in range(order["workers"])]
        ends = [os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) for child in children]
        sys.stdout.write(json.dumps(ends) + "\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main(*sys.argv[1:])
