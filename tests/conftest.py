"""What all tests share: which of them run when, and a place for their files that is gone afterwards."""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path

import pytest
from django.conf import settings
from django.db import connection
from hypothesis import settings as hypothesis_settings

# How long an example takes says more of the machine than of the code.
hypothesis_settings.register_profile("untimed", deadline=None)
hypothesis_settings.load_profile("untimed")

TESTS = Path(__file__).parent

#: Slow, or with needs of their own: they run when named on the command line, as "make test" does.
collect_ignore = ["browser", "oscar", "test_packaging.py"]

#: Every test below the folder gets the mark.
MARKED_FOLDERS = {"browser": pytest.mark.browser, "oscar": pytest.mark.oscar}


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Mark tests by their folder, skip on SQLite what only PostgreSQL can show, and leave out on PostgreSQL what no
    database can change.
    """
    needs_postgres = pytest.mark.skip(reason="needs PostgreSQL: python -m tests.postgres -- pytest")
    for item in items:
        if item.path.is_relative_to(TESTS):
            mark = MARKED_FOLDERS.get(item.path.relative_to(TESTS).parts[0])
            if mark:
                item.add_marker(mark)
        if item.get_closest_marker("postgres") and connection.vendor != "postgresql":
            item.add_marker(needs_postgres)
    if connection.vendor == "postgresql":
        # They ran on SQLite, and pytest-django keeps them from any database.
        pure = {item for item in items if not uses_database(item)}
        config.hook.pytest_deselected(items=[item for item in items if item in pure])
        items[:] = [item for item in items if item not in pure]


def uses_database(item: pytest.Item) -> bool:
    """Say whether a test may use a database, or runs in a folder where everything does."""
    folder = item.path.relative_to(TESTS).parts[0] if item.path.is_relative_to(TESTS) else ""
    fixtures = set(getattr(item, "fixturenames", ()))
    return (
        folder in MARKED_FOLDERS
        or item.get_closest_marker("django_db") is not None
        or item.get_closest_marker("postgres") is not None
        or bool(fixtures & {"db", "transactional_db", "django_db_setup", "live_server"})
    )


def pytest_unconfigure(config: pytest.Config) -> None:
    """Remove what the tests wrote, unless a caller chose the folder. Workers share their parent's."""
    folder = Path(getattr(settings, "VAR", TESTS))
    if folder.parent == Path(tempfile.gettempdir()) and not hasattr(config, "workerinput"):
        shutil.rmtree(folder, ignore_errors=True)
