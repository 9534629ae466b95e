"""Serve the Oscar demo in a process of its own, which has Oscar's settings: ``python -m tests.browser.oscar_shop PORT``.

Everything it writes is in ``$EXAMPLE_SITE_VAR``. It says "ready" when the demo's data are loaded, and serves from then on.
"""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
#: Seconds for a busy machine to make the tables and load the data.
PATIENCE = 120


@contextmanager
def oscar_shop(folder: Path) -> Iterator[str]:
    """Run the shop with its data in this folder, and return its address, without a slash at the end."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    environment = {key: value for key, value in os.environ.items() if key not in {"DATABASE_URL", "DEBUG"}}
    environment |= {
        "DJANGO_SETTINGS_MODULE": "example_site.oscar.settings",
        "DJANGO_RUNSERVER_HIDE_WARNING": "true",
        "EXAMPLE_SITE_VAR": str(folder),
        "PORT": str(port),
    }
    with open(folder / "log.txt", "wb") as log:
        command = [sys.executable, "-m", "tests.browser.oscar_shop", str(port)]
        server = subprocess.Popen(command, cwd=ROOT, env=environment, stdout=subprocess.PIPE, stderr=log)
    try:
        assert server.stdout is not None
        said = server.stdout.readline()
        assert said.strip() == b"ready", (folder / "log.txt").read_text()[-4000:]
        _wait_for(port)
        yield f"http://127.0.0.1:{port}"
    finally:
        server.kill()
        server.wait()
        if server.stdout is not None:
            server.stdout.close()


def _wait_for(port: int) -> None:
    end = time.monotonic() + PATIENCE
    while time.monotonic() < end:
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.1)
    raise TimeoutError("The Oscar demo does not answer.")


class WithoutMigrations:
    """Makes every table straight from its model: Oscar and Wagtail bring 321 migrations, half a minute of them."""

    def __contains__(self, label: str) -> bool:
        return True

    def __getitem__(self, label: str) -> None:
        return None


def main(port: str) -> None:
    """Make the tables, load the demo's data and serve."""
    from django.conf import settings

    settings.MIGRATION_MODULES = WithoutMigrations()
    import django

    django.setup()
    from django.core.management import call_command
    from wagtail.models import Locale, Page

    call_command("migrate", run_syncdb=True, interactive=False, verbosity=0)
    # What Wagtail's data migrations would have made.
    Locale.objects.get_or_create(language_code="en")
    Page.add_root(instance=Page(title="Root", slug="root"))
    call_command("load_demo", verbosity=0, stdout=sys.stderr)
    sys.stdout.write("ready\n")
    sys.stdout.flush()
    sys.stdout = sys.stderr
    call_command("runserver", f"127.0.0.1:{port}", use_reloader=False, verbosity=0)


if __name__ == "__main__":
    main(sys.argv[1])
