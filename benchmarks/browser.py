"""Requests as a WSGI server hands them over: the whole handler with all middleware, and nothing of a test client."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from http.cookies import SimpleCookie
from io import BytesIO
from typing import Any
from urllib.parse import urlencode

from django.core.handlers.wsgi import WSGIHandler
from django.test import RequestFactory


@dataclass(frozen=True)
class Answer:
    """What came back."""

    status: int
    headers: list[tuple[str, str]]
    body: bytes

    @property
    def text(self) -> str:
        return self.body.decode()

    @property
    def location(self) -> str:
        return next((value for name, value in self.headers if name == "Location"), "")

    @property
    def cookies(self) -> dict[str, str]:
        jar: SimpleCookie = SimpleCookie()
        for name, value in self.headers:
            if name == "Set-Cookie":
                jar.load(value)
        return {name: morsel.value for name, morsel in jar.items()}


@dataclass
class Browser:
    """Keeps cookies, and makes requests that can be sent again and again."""

    app: WSGIHandler
    cookies: dict[str, str] = field(default_factory=dict)

    def send(self, method: str, path: str, data: Mapping[str, Any] | None = None) -> Answer:
        """Send one request and keep the cookies that come back."""
        answer = self.prepare(method, path, data)()
        self.cookies.update(answer.cookies)
        return answer

    def prepare(
        self,
        method: str,
        path: str,
        data: Mapping[str, Any] | None = None,
        *,
        layout: str = "",
        accept: str = "",
    ) -> Callable[[], Answer]:
        """Return a function that sends this request with today's cookies, each time the same.

        A POST says where it comes from, as every browser does, and carries Django's token for those who want one.
        ``accept`` is for programs, which want JSON.
        """
        cookies = dict(self.cookies)
        sends = method in {"POST", "PATCH"}
        if sends:
            cookies.setdefault("csrftoken", TOKEN)
            data = {**(data or {}), "csrfmiddlewaretoken": cookies["csrftoken"]}
        # As a form without files is sent; Django's own default, multipart, takes longer to read.
        body = urlencode(data or {}).encode() if sends else b""
        factory = RequestFactory(headers={**HEADERS, "Accept": accept or HEADERS["Accept"]})
        kind = "application/x-www-form-urlencoded" if sends else ""
        environ = factory.generic(method, path, body, content_type=kind).environ
        # One header, as it arrives.
        environ["HTTP_COOKIE"] = "; ".join(f"{name}={value}" for name, value in cookies.items())
        if layout:
            environ["BENCHMARKS_LAYOUT"] = layout

        def send() -> Answer:
            return call(self.app, {**environ, "wsgi.input": BytesIO(body)})

        return send


#: What a browser sends with a click.
HEADERS = {
    "Accept": "text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,image/webp,*/*;q=0.8",
    "Accept-Language": "en-GB,en;q=0.7,de;q=0.3",
    "Sec-Fetch-Site": "same-origin",
}
#: Any 32 letters will do: cookie and form only have to agree.
TOKEN = "b" * 32


def call(app: WSGIHandler, environ: dict[str, Any]) -> Answer:
    """Serve one request to its end, as a server does."""
    started: list[Any] = []

    def start_response(status: str, headers: list[tuple[str, str]], *rest: Any) -> None:
        started[:] = [status, headers]

    response = app(environ, start_response)
    body = b"".join(response)
    response.close()
    return Answer(int(started[0].split()[0]), started[1], body)
