"""System checks of the mail: what would be found out otherwise by a forged report, a fine, or a slow checkout.

E007 and E008 need nothing but the settings. The warnings are for shops that write to people who did not ask for just
that mail, and only the database knows whether a shop does: they are given where Django lets checks look there, in
``migrate`` and ``check --database default``.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator, Sequence
from importlib.util import find_spec
from ipaddress import ip_address
from typing import Any, Final
from urllib.parse import urlsplit

from django.apps import AppConfig
from django.conf import settings as django_settings
from django.core.checks import CheckMessage, Error, Tags, Warning
from django.core.checks import register as register_check
from django.core.exceptions import ImproperlyConfigured, ValidationError
from django.core.validators import validate_email
from django.db import Error as DatabaseError
from django.urls import get_resolver
from django.utils.module_loading import import_string

from ..conf import app_settings

CONSENT_IPS: Final = ("", "truncated", "hashed")


def register() -> None:
    """Register the checks with Django. Called by ``thankyou_flows.checks.register``."""
    register_check(check_webhooks, Tags.security)
    register_check(check_values, Tags.compatibility)
    register_check(check_base_url, Tags.security)
    register_check(check_marketing, Tags.database)


# Webhooks


def check_webhooks(app_configs: Sequence[AppConfig] | None, **kwargs: Any) -> list[CheckMessage]:
    """Report webhooks of Anymail by which anybody could have our customers struck off, and such as can't work (EM-7).

    Anymail itself says of each of its views whether it is guarded, so that every version's own settings count. All
    views that are routed are asked, not only the one of the provider in use: whoever includes ``anymail.urls`` opens all.
    """
    if django_settings.DEBUG or find_spec("anymail") is None:
        return []
    open_to_all, broken = set(), {}
    in_use = _providers_in_use()
    for view_class, arguments in _tracking_views():
        name = str(view_class.esp_name)
        try:
            is_open, complaint = _ask(view_class, arguments)
        except ImproperlyConfigured as error:
            is_open, complaint = False, str(error)
        except Exception as error:
            # A library of the provider's is missing, or its key can't be read.
            is_open, complaint = False, f"{type(error).__name__}: {error}"
        if is_open:
            open_to_all.add(name)
        elif complaint and _plain(name) in in_use:
            broken[name] = complaint
    messages: list[CheckMessage] = []
    if open_to_all:
        messages.append(
            Error(
                f"Anybody can send reports to the webhooks of {_listed(open_to_all)}, and so have any customer struck off.",
                hint='Set ANYMAIL = {"WEBHOOK_SECRET": "<random>:<random>"} and give your provider the address '
                "https://<random>:<random>@yourshop.example/anymail/…. A signing key of your own provider is not enough "
                "where anymail.urls is included, because that opens the webhooks of all providers.",
                id="thankyou_flows.E007",
            )
        )
    for name, complaint in sorted(broken.items()):
        messages.append(
            Error(
                f"The webhook of {name} can't take any report: {complaint}",
                hint="Give it its signing key under ANYMAIL in your settings; bounces and complaints are not heard until "
                "then.",
                id="thankyou_flows.E007",
            )
        )
    return messages


def _ask(view_class: Any, arguments: dict[str, Any]) -> tuple[bool, str]:
    """Return whether anybody may post to a view, and what it would complain of. Raises what making it raises."""
    with warnings.catch_warnings():
        # It would warn of what we are about to say.
        warnings.simplefilter("ignore")
        view = view_class(**arguments)
    is_open = view.warn_if_no_basic_auth and not view.basic_auth
    # Mandrill's looks for its key only when something is posted.
    complaint = "its WEBHOOK_KEY is missing." if getattr(view, "webhook_key", "") is None else ""
    return is_open, complaint


def _tracking_views() -> Iterator[tuple[Any, dict[str, Any]]]:
    """Yield the routed views of Anymail that report on mail we sent, with what they are configured with."""
    from anymail.signals import tracking
    from anymail.webhooks.base import AnymailBasicAuthMixin

    for pattern in _patterns(get_resolver()):
        view_class: Any = getattr(pattern.callback, "view_class", None)
        is_anymails = isinstance(view_class, type) and issubclass(view_class, AnymailBasicAuthMixin)
        # Mandrill has one view for both directions, and no signal before it knows.
        if is_anymails and view_class.signal in {tracking, None}:
            yield view_class, getattr(pattern.callback, "view_initkwargs", {})


def _patterns(resolver: Any) -> Iterator[Any]:
    for pattern in resolver.url_patterns:
        if hasattr(pattern, "url_patterns"):
            yield from _patterns(pattern)
        else:
            yield pattern


def _providers_in_use() -> set[str]:
    """Return the names of the modules of Anymail's mail backends that the settings name: ``{"mailgun"}``."""
    mailers = getattr(django_settings, "MAILERS", None)
    if mailers is None:
        backends = [str(getattr(django_settings, "EMAIL_BACKEND", ""))]
    else:
        backends = [str(mailer.get("BACKEND", "")) for mailer in mailers.values()]
    modules = [path.split(".") for path in backends if path.startswith("anymail.backends.")]
    return {_plain(parts[2]) for parts in modules}


def _plain(name: str) -> str:
    return name.lower().replace(" ", "").replace("_", "")


# Values


def check_values(app_configs: Sequence[AppConfig] | None, **kwargs: Any) -> list[CheckMessage]:
    """Report values of THANKYOU_FLOWS that have the right type and make no sense."""
    if not isinstance(getattr(django_settings, "THANKYOU_FLOWS", {}), dict):
        # thankyou_flows.E002 says so.
        return []
    checked: dict[str, tuple[Any, Callable[[Any], bool], str]] = {
        "QUIET_HOURS": (app_settings.quiet_hours, _is_span, '"21:00-08:00", or "" for none'),
        "CONSENT_IP": (app_settings.consent_ip, CONSENT_IPS.__contains__, '"", "truncated" or "hashed"'),
        "OBJECTION_OFFERED_SINCE": (app_settings.objection_offered_since, _is_moment, '"2026-03-01", or ""'),
        "SIGN_UP_CHALLENGE": (app_settings.sign_up_challenge, _is_callable, '"yourshop.people.is_person", or ""'),
        "UNSUBSCRIBE_MAILTO": (app_settings.unsubscribe_mailto, _is_mailto, '"leave@yourshop.example", or ""'),
        # Without a rest two workers could overrun MAILS_IN_30_DAYS together.
        "MAIL_REST_HOURS": (app_settings.mail_rest_hours, _is_positive, "at least 1, such as 24"),
        "BASE_URL": (app_settings.base_url, _is_address, '"https://yourshop.example", or ""'),
        # With 0 of these nothing would ever be sent, or no link would work.
        "MAILS_IN_30_DAYS": (app_settings.mails_in_30_days, _is_positive, "at least 1, such as 8"),
        "LATE_DAYS": (app_settings.late_days, _is_positive, "at least 1, such as 7"),
        "MAIL_ATTEMPTS": (app_settings.mail_attempts, _is_positive, "at least 1, such as 8"),
        "LEASE_SECONDS": (app_settings.lease_seconds, _is_positive, "at least 1, such as 300"),
        "CONFIRM_HOURS": (app_settings.confirm_hours, _is_positive, "at least 1, such as 72"),
    }
    return [
        Error(
            f"THANKYOU_FLOWS[{key!r}] is {value!r}, which can't be used.",
            hint=f"Write {example}.",
            id="thankyou_flows.E008",
        )
        for key, (value, is_right, example) in checked.items()
        if not is_right(value)
    ]


def _is_span(value: str) -> bool:
    from .quiet import read_span

    return not value.strip() or read_span(value) is not None


def _is_moment(value: str) -> bool:
    from .gate import offered_since

    return not value.strip() or offered_since() is not None


def _is_positive(value: int) -> bool:
    return value >= 1


def _is_callable(value: str) -> bool:
    if not value:
        return True
    try:
        return callable(import_string(value))
    except Exception:
        # Whatever the module does when it is imported.
        return False


def _is_mailto(value: str) -> bool:
    if not value:
        return True
    try:
        validate_email(value.removeprefix("mailto:").partition("?")[0])
    except ValidationError:
        return False
    return True


def _is_address(value: str) -> bool:
    if not value:
        return True
    parts = urlsplit(value)
    return parts.scheme in {"http", "https"} and bool(parts.hostname) and not parts.query and not parts.fragment


def check_base_url(app_configs: Sequence[AppConfig] | None, **kwargs: Any) -> list[CheckMessage]:
    """Warn when links in mails would lead to http: one-click unsubscribe needs https (RFC 8058)."""
    if not isinstance(getattr(django_settings, "THANKYOU_FLOWS", {}), dict):
        return []
    return _warn_of_http(app_settings.base_url)


def _warn_of_http(address: str) -> list[CheckMessage]:
    """A shop on the developer's own machine has no certificate, and nobody else to write to."""
    parts = urlsplit(address)
    if django_settings.DEBUG or parts.scheme != "http" or _is_own_machine(parts.hostname or ""):
        return []
    return [
        Warning(
            f"Links in mails begin with {address}, which is not encrypted.",
            hint='Set THANKYOU_FLOWS["BASE_URL"] to your https address. Mail programs offer their unsubscribe button only '
            "for https (RFC 8058), and large mailboxes ask for the button.",
            id="thankyou_flows.W006",
        )
    ]


def _is_own_machine(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost" or host.endswith(".localhost")


# What only the database knows


def check_marketing(
    app_configs: Sequence[AppConfig] | None, databases: Sequence[str] | None = None, **kwargs: Any
) -> list[CheckMessage]:
    """Warn of what is missing in a shop that writes follow-ups or newsletters. Without a database it says nothing."""
    if django_settings.DEBUG or not databases:
        return []
    try:
        if not writes_marketing():
            return []
        return [*_footer(), *_worker(), *_default_site()]
    except DatabaseError:
        # Before the first migration there is nobody to write to.
        return []


def writes_marketing() -> bool:
    """Whether a follow-up that is not transactional is switched on, or somebody is on a list. Two queries."""
    from ..models import FollowUp, MessageKind, Subscription

    switched_on = FollowUp.objects.filter(is_on=True).exclude(kind=MessageKind.TRANSACTIONAL)
    return switched_on.exists() or Subscription.objects.filter(state=Subscription.State.CONFIRMED).exists()


def _footer() -> list[CheckMessage]:
    if app_settings.mail_footer.strip():
        return []
    return [
        Warning(
            "Your follow-ups and newsletters don't say who writes.",
            hint='Set THANKYOU_FLOWS["MAIL_FOOTER"] to the name and postal address of the shop; in many countries the '
            "law asks for it.",
            id="thankyou_flows.W004",
        )
    ]


def _worker() -> list[CheckMessage]:
    if not sends_in_requests():
        return []
    return [
        Warning(
            "Tasks run at once, so a customer waits while mail is sent.",
            hint="Install wagtail-thankyou-flows[worker], add django_tasks_db to INSTALLED_APPS, set "
            'TASKS = {"default": {"BACKEND": "django_tasks_db.DatabaseBackend"}} and keep "manage.py db_worker" running. '
            'Let cron run "manage.py send_due_messages --plan" every few minutes as well: it sends what is due later, and '
            "looks for what follow-ups wait for.",
            id="thankyou_flows.W005",
        )
    ]


def sends_in_requests() -> bool:
    """Whether Django's tasks run where they are enqueued."""
    from .waking import is_immediate

    try:
        return is_immediate()
    except Exception:
        # TASKS can't be loaded; Django's own check says so.
        return False


def _default_site() -> list[CheckMessage]:
    from .links import base_url

    if app_settings.base_url:
        # Looked at already, without the database.
        return []
    try:
        return _warn_of_http(base_url())
    except ValueError as error:
        return [Warning(str(error), hint="Set it to your https address.", id="thankyou_flows.W006")]


def _listed(names: set[str]) -> str:
    return ", ".join(sorted(names))
