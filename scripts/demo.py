"""Bring the example shop's database up to date, load the demo once, say where everything is, and serve it."""

from __future__ import annotations

import argparse
import contextlib
import os
import shutil
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
HOST = "127.0.0.1"


def say(text: str) -> None:
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


def parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--settings", default="example_site.settings")
    parser.add_argument("--port", default="8000")
    parser.add_argument("--reset", action="store_true", help="throw the demo's data away, load them anew, and stop")
    arguments = parser.parse_args()
    if not (arguments.port.isdecimal() and 0 < int(arguments.port) < 65536):
        sys.exit(f"PORT must be a number from 1 to 65535, not {arguments.port!r}.")
    return arguments


def refuse_taken_port(port: int) -> None:
    """Stop with advice if something listens there: runserver would say so only after everything else."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
        except OSError as error:
            other = port + 1 if 1024 <= port < 65535 else 8001
            sys.exit(f"Port {port} cannot be used ({error.strerror}). Take another one:  make demo PORT={other}")


def remove_data() -> None:
    """Remove what this demo wrote: database, uploads, mail. Another demo's folder may lie beside them."""
    from django.conf import settings

    database = Path(settings.DATABASES["default"]["NAME"])
    for file in (database, Path(f"{database}-wal"), Path(f"{database}-shm")):
        file.unlink(missing_ok=True)
    for folder in (settings.MEDIA_ROOT, settings.MAIL_FOLDER):
        shutil.rmtree(folder, ignore_errors=True)


def prepare() -> None:
    """Migrate and load the demo; both do nothing if they were done before."""
    from django.conf import settings
    from django.core.management import call_command
    from django.db import OperationalError, ProgrammingError
    from django.db.migrations.exceptions import InconsistentMigrationHistory

    Path(settings.VAR).mkdir(parents=True, exist_ok=True)
    try:
        call_command("migrate", interactive=False, verbosity=0)
        call_command("load_demo", verbosity=0)
    except (OperationalError, ProgrammingError, InconsistentMigrationHistory) as error:
        # Until the first release each app has one migration, which is renewed when something changes.
        sys.exit(f"The demo's data are of an older version ({error}). Renew them:  make demo-reset")


def say_where(address: str) -> None:
    """Print the addresses and logins; a demo with more of them has a command for it."""
    from django.core.management import call_command, get_commands

    if "demo_banner" in get_commands():
        call_command("demo_banner")
    else:
        say(f"\n  Shop     {address}/\n  Admin    {address}/admin/   admin / admin\n")
    say("  Stop with Ctrl-C.\n")


@contextlib.contextmanager
def workers() -> Iterator[None]:
    """Run beside the shop what a real one runs beside it: a worker, and a clock for what is due later."""
    commands = [["db_worker", "--queue-name", "*"], ["send_due_messages", "--every", "20", "--plan"]]
    running = [
        subprocess.Popen([sys.executable, "manage.py", *command], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        for command in commands
    ]
    try:
        yield
    finally:
        for process in running:
            process.terminate()
        for process in running:
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(timeout=5)


def main() -> None:
    arguments = parse()
    port = int(arguments.port)
    if not arguments.reset:
        refuse_taken_port(port)
    os.environ["DJANGO_SETTINGS_MODULE"] = arguments.settings
    os.environ["PORT"] = arguments.port
    os.environ["DJANGO_RUNSERVER_HIDE_WARNING"] = "true"
    # The demo is on SQLite, in a folder of its own, whatever the shell is set up for.
    os.environ.pop("DATABASE_URL", None)
    os.chdir(ROOT)
    sys.path.insert(0, str(ROOT))

    import django

    django.setup()
    from django.core.management import call_command

    if arguments.reset:
        remove_data()
        prepare()
        say("The demo's data are new.")
        return
    prepare()
    say_where(f"http://{HOST}:{port}")
    with workers():
        call_command("runserver", f"{HOST}:{port}", use_reloader=False, verbosity=0)


if __name__ == "__main__":
    # Whoever ends us by "kill" ends the workers too.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    try:
        main()
    except KeyboardInterrupt:
        sys.exit(0)
