"""``python -m benchmarks``: measure on SQLite and on a throw-away PostgreSQL, each in one process, and print tables.

The status is 0 unless something breaks; with ``--strict`` it is 1 when a budget is missed.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import subprocess
import sys
import tempfile
from contextlib import ExitStack
from dataclasses import asdict
from importlib import import_module
from pathlib import Path
from typing import Any

from tests.postgres import PostgresMissing, throwaway

from .measuring import Budget, Table
from .report import is_kept, render
from .rows import ROWS

ROOT = Path(__file__).resolve().parent.parent
DATABASES = {"sqlite": "SQLite", "postgres": "PostgreSQL"}
ROUNDS = 100


def main(arguments: list[str] | None = None) -> int:
    options = _parser().parse_args(arguments)
    if options.measure_here:
        sys.stdout.write(json.dumps([asdict(table) for table in measure(options)]))
        return 0
    wanted = [options.database] if options.database else list(DATABASES)
    versions = ", ".join(f"{name} {_version(name)}" for name in ("Django", "wagtail", "django-oscar"))
    say(f"Python {platform.python_version()}, {versions}, {os.cpu_count()} processors, {options.rounds} rounds.")
    kept = True
    for database in wanted:
        tables = in_own_process(database, options)
        say(f"\n{render(DATABASES[database], tables)}")
        kept = kept and is_kept(tables)
    return 1 if options.strict and not kept else 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("--rounds", type=int, default=ROUNDS, help="turns of each side (default: %(default)s)")
    parser.add_argument("--only", choices=ROWS, help="measure one row of the budgets")
    parser.add_argument("--database", choices=DATABASES, help="measure on one database")
    parser.add_argument("--strict", action="store_true", help="exit with 1 when a budget is missed")
    parser.add_argument("--measure-here", action="store_true", help=argparse.SUPPRESS)
    return parser


def in_own_process(database: str, options: argparse.Namespace) -> list[Table]:
    """Measure in a process that sees one database and nothing of our own state. Raises SystemExit if that breaks."""
    command = [sys.executable, "-m", "benchmarks", "--measure-here", "--rounds", str(options.rounds)]
    command += ["--only", options.only] if options.only else []
    environment = {**os.environ, "DJANGO_SETTINGS_MODULE": "benchmarks.settings"}
    environment.pop("DATABASE_URL", None)
    with ExitStack() as stack:
        environment["EXAMPLE_SITE_VAR"] = stack.enter_context(tempfile.TemporaryDirectory(prefix="thankyou-bench-"))
        if database == "postgres":
            try:
                # Always a server of our own: the benchmarks fill their database.
                environment["DATABASE_URL"] = stack.enter_context(throwaway())
            except PostgresMissing as error:
                raise SystemExit(str(error)) from error
        done = subprocess.run(command, cwd=ROOT, env=environment, stdout=subprocess.PIPE, text=True)
    if done.returncode:
        raise SystemExit(done.returncode)
    return [
        Table(table["title"], table["rows"], [Budget(**budget) for budget in table["budgets"]])
        for table in json.loads(done.stdout)
    ]


def measure(options: argparse.Namespace) -> list[Table]:
    """Make the shop in an empty database and measure the rows in it."""
    import django

    django.setup()
    from django.core.handlers.wsgi import WSGIHandler
    from django.core.management import call_command

    call_command("migrate", verbosity=0, run_syncdb=True)
    from .shop import make_shop

    app, products = WSGIHandler(), make_shop()
    names = [options.only] if options.only else list(ROWS)
    tables: list[Any] = []
    for name in names:
        tables += import_module(ROWS[name]).measure(app=app, products=products, rounds=options.rounds)
    return tables


def say(text: str) -> None:
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


def _version(name: str) -> str:
    from importlib.metadata import version

    return version(name)


if __name__ == "__main__":
    sys.exit(main())
