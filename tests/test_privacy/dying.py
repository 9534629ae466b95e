"""A purge in a process of its own that kills itself, with SIGKILL, after so many pieces of work: see ``test_killing``.

``python -m tests.test_privacy.dying DATABASE PIECES IN_THE_MIDST`` purges row by row.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]


def purge_until_killed(*, database: str, pieces: int, in_the_midst: bool) -> int:
    """Run it; return how the process ended (-9: killed)."""
    command = [sys.executable, "-m", "tests.test_privacy.dying", database, str(pieces), str(int(in_the_midst))]
    environment = {**os.environ, "DJANGO_SETTINGS_MODULE": "tests.settings"}
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode in {0, -signal.SIGKILL}, done.stderr
    return done.returncode


def main(database: str, pieces: str, in_the_midst: str) -> None:
    import django
    from django.conf import settings

    settings.DATABASES["default"]["NAME"] = database
    django.setup()
    from tests.test_privacy.world import NOW
    from thankyou_flows.privacy import purging

    left = int(pieces)
    does = purging._do

    def counted(kind: Any, *arguments: Any) -> int:
        nonlocal left
        left -= 1
        if left > 0 or not int(in_the_midst):
            done = does(kind, *arguments)
            if left <= 0:
                os.kill(os.getpid(), signal.SIGKILL)
            return done

        # The work is done, and its transaction is not committed.
        from django.db import transaction

        with transaction.atomic():
            does(kind, *arguments)
            os.kill(os.getpid(), signal.SIGKILL)
        return 0

    purging._do = counted
    purging.CHUNK = 1
    purging.purge(now=NOW)


if __name__ == "__main__":
    main(*sys.argv[1:])
