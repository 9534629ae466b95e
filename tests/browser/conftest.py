"""The example shop with its demo, served to a real Chromium. One database and one server for all tests of a process.

Nothing is flushed between the tests: each makes its own browser context and its own orders. The server runs in this
process, so ``time_machine.travel(…, tick=True)`` moves its clock too; ``page.clock`` moves the browser's.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
import time_machine
from axe_playwright_python.sync_playwright import Axe
from django.core.cache import cache
from django.core.management import call_command
from django.db import connections
from django.test.utils import setup_databases, teardown_databases
from playwright.sync_api import Browser, BrowserContext, Page, expect, sync_playwright
from pytest_django.live_server_helper import LiveServer
from pytest_django.plugin import DjangoDbBlocker

from . import chromium
from .journey import Shopper
from .watching import Watch

# Playwright's loop runs in the test's own thread; Django would take the test for asynchronous code.
os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "true"

VIEWPORTS = {"desk": {"width": 1280, "height": 900}, "phone": {"width": 390, "height": 844}}
ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
]
#: Milliseconds until a missing element or an unfinished page is a failure.
PATIENCE = 30_000
expect.set_options(timeout=PATIENCE)


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """A headless Chromium. Without one the tests are skipped, and fail on CI."""
    path = chromium.find()
    if not path:
        (pytest.fail if chromium.on_ci() else pytest.skip)(f"There is no Chromium. {chromium.HELP}")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=ARGUMENTS)
        yield browser
        browser.close()


@pytest.fixture(scope="session")
def django_db_setup(
    request: pytest.FixtureRequest,
    django_test_environment: None,
    django_db_modify_db_settings: None,
    django_db_blocker: DjangoDbBlocker,
) -> Iterator[None]:
    """The test database. pytest-django makes one for tests with the django_db mark only, and flushes after each."""
    keep = request.config.getoption("reuse_db") and not request.config.getoption("create_db")
    with django_db_blocker.unblock():
        databases = setup_databases(verbosity=0, interactive=False, keepdb=keep)
    yield
    if keep:
        return
    with django_db_blocker.unblock():
        teardown_databases(databases, verbosity=0)


@pytest.fixture(scope="session")
def shop_url(django_db_setup: None, django_db_blocker: DjangoDbBlocker) -> Iterator[str]:
    """The address of the running example shop with its demo loaded, without a slash at the end."""
    from wagtail.models import Site

    with django_db_blocker.unblock():
        call_command("load_demo", verbosity=0)
        server = LiveServer("127.0.0.1")
        # Wagtail builds whole addresses from its own record of the site.
        for site in Site.objects.filter(is_default_site=True):
            site.hostname, site.port = "127.0.0.1", server.thread.port
            site.save()
        yield server.url
        server.stop()


@pytest.fixture(autouse=True)
def _database(shop_url: str, django_db_blocker: DjangoDbBlocker) -> Iterator[None]:
    """Let the test read and write what the server sees: no transaction around it, nothing rolled back."""
    with django_db_blocker.unblock():
        yield
        for connection in connections.all(initialized_only=True):
            if connection.vendor != "sqlite":
                connection.close()


@pytest.fixture(autouse=True)
def _demo(settings: Any, shop_url: str, tmp_path: Path) -> None:
    """Mail as the demo keeps it, in a folder of the test's own; links in it lead here. Rate limits begin anew."""
    settings.EMAIL_BACKEND = "example_site.demo.mailbox.FolderBackend"
    settings.MAIL_FOLDER = tmp_path / "mail"
    settings.SHOP_BASE_URL = shop_url
    settings.THANKYOU_FLOWS = {**settings.THANKYOU_FLOWS, "BASE_URL": shop_url}
    cache.clear()


@pytest.fixture
def watch(shop_url: str) -> Iterator[Watch]:
    """What went wrong in the browser beside the test's own question; it fails the test unless allowed by it."""
    watch = Watch(shop_url)
    yield watch
    if watch.problems:
        pytest.fail("The browser complained:\n" + "\n".join(watch.problems), pytrace=False)


@pytest.fixture
def context(browser: Browser, shop_url: str, watch: Watch) -> Iterator[Callable[..., BrowserContext]]:
    """A function that opens a browser of its own: no cookies, a size, scripts on or off, light or dark.

    ``context(viewport="desk"|"phone"|(width, height), javascript=True, dark=False, **more)``; more goes to Playwright's
    ``new_context``. Relative addresses are the shop's.
    """
    opened: list[BrowserContext] = []

    def make(
        *, viewport: str | tuple[int, int] = "desk", javascript: bool = True, dark: bool = False, **more: Any
    ) -> BrowserContext:
        size = VIEWPORTS[viewport] if isinstance(viewport, str) else {"width": viewport[0], "height": viewport[1]}
        defaults = {
            "base_url": shop_url,
            "viewport": size,
            "java_script_enabled": javascript,
            "color_scheme": "dark" if dark else "light",
            "reduced_motion": "reduce",
            "locale": "en-GB",
            "timezone_id": "Europe/Berlin",
        }
        made = browser.new_context(**(defaults | more))
        made.set_default_timeout(PATIENCE)
        watch.attach(made)
        opened.append(made)
        return made

    yield make
    for each in opened:
        each.close()


@pytest.fixture
def page(context: Callable[..., BrowserContext]) -> Page:
    """A page at a desk, with scripts."""
    return context().new_page()


@pytest.fixture
def shopper(page: Page) -> Shopper:
    """A new customer with a mouse, at a desk, with scripts."""
    return Shopper(page)


@pytest.fixture(params=[True, False], ids=["script", "no-script"])
def either(request: pytest.FixtureRequest, context: Callable[..., BrowserContext]) -> Shopper:
    """A new customer with a mouse, with and without scripts."""
    return Shopper(context(javascript=request.param).new_page())


@pytest.fixture
def travel() -> Iterator[Callable[..., None]]:
    """A function that sets the server's clock; it goes on ticking from there, or stands, until the test is over."""
    travels: list[time_machine.travel] = []

    def to(moment: datetime, *, tick: bool = True) -> None:
        travels.append(time_machine.travel(moment, tick=tick))
        travels[-1].start()

    yield to
    for each in reversed(travels):
        each.stop()


@pytest.fixture(scope="session")
def axe() -> Callable[..., list[str]]:
    """A function that returns what axe holds against a page, a line each: ``assert axe(page) == []``."""
    engine = Axe()

    def run(page: Page, selector: str | None = None) -> list[str]:
        violations = engine.run(page, context=selector).response["violations"]
        return [
            f"{violation['id']} ({violation['impact']}): {violation['help']}: {node['html'][:200]} – {_reasons(node)}"
            for violation in violations
            for node in violation["nodes"]
        ]

    return run


def _reasons(node: dict[str, Any]) -> str:
    """Return what axe says about one element: the colours it measured, the name it missed."""
    return "; ".join(check["message"] for kind in ("any", "all", "none") for check in node[kind])
