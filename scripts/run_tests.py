"""Run the steps of ``make test`` one after the other, all of them, and say at the end which ones failed."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
PYTHON = sys.executable
PYTEST = [PYTHON, "-m", "pytest"]
WITH_POSTGRES = [PYTHON, "-m", "tests.postgres", "--"]
IN_PARALLEL = ["-n", "2"]
#: A browser shares a busy machine with much else; what is truly broken fails three times. The report names the reruns.
TWICE_MORE = ["--reruns", "2"]


@dataclass(frozen=True)
class Step:
    """One step: what it is called, what it shows, and the commands it consists of."""

    name: str
    title: str
    commands: tuple[list[str], ...]
    #: Whether a DATABASE_URL of the caller may reach it.
    database: bool = False


STEPS = (
    Step(
        "lint",
        "ruff",
        ([PYTHON, "-m", "ruff", "check", "."], [PYTHON, "-m", "ruff", "format", "--check", "."]),
    ),
    Step("types", "mypy", ([PYTHON, "-m", "mypy"],)),
    Step("templates", "djlint", ([PYTHON, "-m", "djlint", "--lint", "templates", "example_site/templates"],)),
    Step("migrations", "missing migrations", ([PYTHON, "manage.py", "makemigrations", "--check", "--dry-run"],)),
    Step("scripts", "the JavaScript modules, with the node that Playwright brings", ([PYTHON, "-m", "tests.js"],)),
    Step("sqlite", "tests on SQLite", ([*PYTEST, *IN_PARALLEL, "-m", "not postgres"],)),
    Step("postgres", "tests on PostgreSQL", ([*WITH_POSTGRES, *PYTEST, *IN_PARALLEL],), database=True),
    Step(
        "oscar",
        "tests on django-oscar, on PostgreSQL",
        ([*WITH_POSTGRES, *PYTEST, *IN_PARALLEL, "tests/oscar", "--ds=tests.oscar.settings"],),
        database=True,
    ),
    Step(
        "browser",
        "tests in a browser, on PostgreSQL",
        (
            [PYTHON, "-m", "tests.browser.chromium"],
            [*WITH_POSTGRES, *PYTEST, *IN_PARALLEL, *TWICE_MORE, "tests/browser", "-rsR"],
        ),
        database=True,
    ),
    Step("wheel", "the built wheel in an empty environment", ([*PYTEST, "tests/test_packaging.py"],)),
)


def say(text: str) -> None:
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


def run(step: Step) -> bool:
    """Run the commands of a step, all of them, and return whether they passed."""
    environment = {**os.environ, "PYTHONUNBUFFERED": "1"}
    # Settings of the caller's shell must not decide what is tested.
    environment.pop("DJANGO_SETTINGS_MODULE", None)
    if not step.database:
        environment.pop("DATABASE_URL", None)
    passed = True
    with tempfile.TemporaryDirectory(prefix="thankyou-step-") as folder:
        # The demo's own database and uploads stay out of it.
        environment["EXAMPLE_SITE_VAR"] = str(Path(folder, "var"))
        Path(folder, "var").mkdir()
        for command in step.commands:
            say(f"$ {' '.join(['python' if part == PYTHON else part for part in command])}")
            passed &= subprocess.run(command, cwd=ROOT, env=environment).returncode == 0
    return passed


def main(wanted: list[str]) -> int:
    """Run the named steps, or all; return the exit status."""
    names = [step.name for step in STEPS]
    if unknown := set(wanted) - set(names):
        say(f"There is no step {', '.join(sorted(unknown))}. The steps: {', '.join(names)}.")
        return 2
    steps = [step for step in STEPS if not wanted or step.name in wanted]
    lines, failed = [], 0
    for number, step in enumerate(steps, 1):
        say(f"\n=== {number}/{len(steps)} {step.name}: {step.title}")
        start = time.monotonic()
        passed = run(step)
        failed += not passed
        seconds = time.monotonic() - start
        lines.append(f"{'passed' if passed else 'FAILED'}  {seconds:4.0f} s  {step.name}: {step.title}")
    say("\n=== summary\n" + "\n".join(lines))
    say(f"{failed} of {len(steps)} steps failed." if failed else f"All {len(steps)} steps passed.")
    return 1 if failed else 0


if __name__ == "__main__":
    try:
        sys.exit(main(sys.argv[1:]))
    except KeyboardInterrupt:
        sys.exit(130)
