"""Teeth of the access matrix: guards that are taken away one by one, and the complaint that must then come."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from django.conf import settings

from coupons.models import Coupon

from .access_matrix import ACTORS, FULL


def break_access(monkeypatch: Any) -> None:
    """Let everybody see everything."""
    for module in ("thankyou_flows.visits", "thankyou_flows.views.orders"):
        monkeypatch.setattr(f"{module}.settle_access", lambda **_: FULL)


def break_grace(monkeypatch: Any) -> None:
    """Let the grace go on."""
    monkeypatch.setitem(settings.THANKYOU_FLOWS, "GRACE_MINUTES", 60)


def break_links(monkeypatch: Any) -> None:
    """Let links live for ever once they were opened."""
    monkeypatch.setattr("thankyou_flows.access.is_link_live", lambda **_: True)


def break_owners(monkeypatch: Any) -> None:
    """Let every account own every order."""
    monkeypatch.setattr("thankyou_flows.access.is_owner", lambda *, user, **_: bool(user and user.is_authenticated))


def break_limited_view(monkeypatch: Any) -> None:
    """Leave the personal data in."""
    monkeypatch.setattr("thankyou_flows.values.Order.without_personal_data", lambda order: replace(order))


def break_coupon_pages(monkeypatch: Any) -> None:
    """Let everybody see every coupon."""
    codes = Coupon.objects.values_list("code", flat=True)
    monkeypatch.setattr("coupons.views.unlock.proven", lambda _session: list(codes))


def break_addresses(monkeypatch: Any) -> None:
    """Believe what somebody says who opens an account: A's address is B's."""
    monkeypatch.setattr("coupons.holders.verified_email_of", lambda user: "timbuktu@example.com" if user.pk else "")


def break_locks(monkeypatch: Any) -> None:
    """Show the code before there are answers."""
    monkeypatch.setattr(
        "thankyou_flows.promises.Promise.is_locked", property(lambda _promise: False, lambda *_: None), raising=False
    )


def break_refusals(monkeypatch: Any) -> None:
    """Tell everybody the true reason."""
    monkeypatch.setattr("coupons.entry.proven", lambda _session: list(Coupon.objects.values_list("code", flat=True)))


def break_cache_headers(monkeypatch: Any) -> None:
    """Let pages be cached, the same for everybody: as if nobody had said that they are private."""

    def nothing(*_: Any, **__: Any) -> None:
        pass

    for module in (
        "thankyou_flows.headers",
        "django.contrib.sessions.middleware",
        "django.middleware.csrf",
        "django.middleware.locale",
        "wishlists.shelf",
    ):
        monkeypatch.setattr(f"{module}.patch_vary_headers", nothing, raising=False)
    monkeypatch.setattr("thankyou_flows.headers.add_never_cache_headers", nothing)


def break_masks(monkeypatch: Any) -> None:
    """Show the whole address to whoever opens the link of a mail."""
    monkeypatch.setattr("thankyou_flows.mail.preferences.masked", lambda email: email)


#: What is broken, the actor who profits, and a part of the complaint that must then come.
MUTANTS = (
    (break_masks, "stranger", "preferences GET of the guest's mails | : of guest's order it shows ['personal data']"),
    (break_coupon_pages, "stranger", "coupon GET offer | guest"),
    (break_addresses, "B", "mine GET  | "),
    (break_locks, "holder of a link", "nobody has asked before who may see it all"),
    (break_refusals, "stranger", "guest: it can be told from another refusal"),
    (break_access, "stranger", "order GET  | guest"),
    (break_grace, "ordering browser, a second after the grace", "order GET  | guest"),
    (break_links, "holder of a link that was revoked after it was opened", "order GET  | guest"),
    (break_links, "holder of a link that expired after it was opened", "order GET  | guest"),
    (break_owners, "B", "order GET  | account"),
    (break_limited_view, "holder of a link", "'personal data'"),
    (break_cache_headers, "stranger", "of guest's order it shows ['items', 'number', 'offer code', 'personal data'"),
)


def name_of_mutant(value: object) -> str | None:
    """Return the part of a test's name that names a mutant and its actor."""
    if callable(value):
        return value.__name__
    return value if value in {actor.who for actor in ACTORS} else ""
