"""Notes whatever goes wrong in a browser while a test looks at something else."""

from __future__ import annotations

import re
from urllib.parse import urlsplit

from playwright.sync_api import BrowserContext, ConsoleMessage, Page, Request, Route, WebError

#: Says in the page's console what a strict Content-Security-Policy refused.
REPORT_CSP = """
document.addEventListener("securitypolicyviolation", (event) => {
  console.error(`CSP refused ${event.violatedDirective}: ${event.blockedURI} ${event.sourceFile}:${event.lineNumber}`);
});
"""
#: Addresses that leave no machine.
HARMLESS_SCHEMES = {"about", "blob", "data"}


class Watch:
    """Everything that a page must not do, a line each: console errors, exceptions, refusals by CSP, foreign requests.

    ``allow(pattern)`` drops the lines that a test provokes on purpose.
    """

    def __init__(self, origin: str) -> None:
        self.origin = origin
        self._lines: list[str] = []
        self._allowed: list[str] = []

    def attach(self, context: BrowserContext) -> None:
        context.add_init_script(REPORT_CSP)
        context.route(lambda url: not self.is_own(url), self._refuse)
        context.on("console", self._console)
        context.on("weberror", self._error)
        context.on("requestfailed", self._failed)

    def allow(self, pattern: str) -> None:
        """Accept lines in which the regular expression is found."""
        self._allowed.append(pattern)

    @property
    def problems(self) -> list[str]:
        return [line for line in self._lines if not any(re.search(pattern, line) for pattern in self._allowed)]

    def is_own(self, url: str) -> bool:
        parts = urlsplit(url)
        return parts.scheme in HARMLESS_SCHEMES or f"{parts.scheme}://{parts.netloc}" == self.origin

    def _refuse(self, route: Route) -> None:
        self._lines.append(f"foreign request: {route.request.method} {route.request.url}")
        route.abort()

    def _console(self, message: ConsoleMessage) -> None:
        if message.type == "error":
            place = message.location.get("url", "")
            self._lines.append(f"console: {message.text} ({place}) on {where(message.page)}")

    def _error(self, error: WebError) -> None:
        self._lines.append(f"exception: {error.error} on {where(error.page)}")

    def _failed(self, request: Request) -> None:
        # Leaving a page ends its requests; that is no fault. Foreign ones are listed already.
        if self.is_own(request.url) and request.failure != "net::ERR_ABORTED":
            self._lines.append(f"failed: {request.method} {request.url} {request.failure}")


def where(page: Page | None) -> str:
    return page.url if page else "a closed page"
