"""Mail that is set up wrongly is found at start-up, with an id and a hint (D11, EM-7, OP-1)."""

from __future__ import annotations

import sys
import types
from typing import Any

import django
import pytest
from anymail.webhooks.mailgun import MailgunTrackingWebhookView
from anymail.webhooks.postmark import PostmarkInboundWebhookView, PostmarkTrackingWebhookView
from django.core.checks import run_checks
from django.core.management import call_command
from django.db import DatabaseError
from django.urls import include, path

from example_site.urls import urlpatterns as shop
from thankyou_flows.mail import checks, waking
from thankyou_flows.models import FollowUp, MailingList, MessageKind, Subscription


def found(check_id: str, **kwargs: Any) -> list[Any]:
    return [message for message in run_checks(**kwargs) if message.id == f"thankyou_flows.{check_id}"]


def use_backend(settings: Any, provider: str) -> None:
    path = f"anymail.backends.{provider}.EmailBackend"
    if django.VERSION >= (6, 1):
        settings.MAILERS = {"default": {"BACKEND": path}}
    else:
        settings.EMAIL_BACKEND = path


# E007


@pytest.fixture
def routed(settings: Any) -> Any:
    """A production shop with Anymail; return a function that routes these webhooks (all of ``anymail.urls`` if none)."""

    def route(*views: Any) -> None:
        module = types.ModuleType("webhooks_of_a_test")
        ours = [path(f"hook/{number}/", view) for number, view in enumerate(views)]
        module.urlpatterns = [*(ours or [path("anymail/", include("anymail.urls"))]), *shop]  # type: ignore[attr-defined]
        sys.modules[module.__name__] = module
        settings.ROOT_URLCONF = module.__name__

    yield route
    sys.modules.pop("webhooks_of_a_test", None)


ALL_SIGNED = {
    "MAILGUN_WEBHOOK_SIGNING_KEY": "k",
    "MAILERSEND_SIGNING_SECRET": "k",
    "MAILTRAP_TRACKING_SECRET": "k",
    "POSTAL_WEBHOOK_KEY": "k",
}


@pytest.mark.parametrize(
    ("anymail", "names"),
    [
        ({}, ["Brevo", "Mailjet", "Mailtrap", "Postmark", "Resend", "SparkPost"]),
        ({"WEBHOOK_SECRET": ""}, ["Postmark"]),
        ({"WEBHOOK_SECRET": []}, ["Postmark"]),
        (ALL_SIGNED, ["Brevo", "Mailjet", "Postmark", "SparkPost"]),
        ({"WEBHOOK_SECRET": "a:b"}, []),
        ({"WEBHOOK_SECRET": ["a:b", "c:d"]}, []),
    ],
)
def test_open_webhooks_are_an_error(settings: Any, routed: Any, anymail: dict[str, Any], names: list[str]) -> None:
    """EM-7: with ``anymail.urls`` all providers' webhooks are open, whichever one is in use."""
    routed()
    settings.ANYMAIL = anymail
    messages = found("E007")
    assert bool(messages) is bool(names)
    for message in messages:
        assert all(name in message.msg for name in names)
        assert "Mailgun" not in message.msg
        assert "WEBHOOK_SECRET" in message.hint


def test_a_setting_of_its_own(settings: Any, routed: Any) -> None:
    """Anymail also reads ``ANYMAIL_WEBHOOK_SECRET``."""
    routed()
    settings.ANYMAIL_WEBHOOK_SECRET = "a:b"
    assert not found("E007")


def test_in_development_nobody_is_stopped(settings: Any, routed: Any) -> None:
    routed()
    settings.ANYMAIL, settings.DEBUG = {}, True
    assert not found("E007")


def test_without_webhooks_or_without_anymail_there_is_nothing_to_guard(
    settings: Any, routed: Any, monkeypatch: Any
) -> None:
    """No false alarm: a shop that only sends by Anymail, and one that has it not installed."""
    settings.ANYMAIL = {}
    use_backend(settings, "postmark")
    assert not found("E007")
    routed()
    monkeypatch.setattr(checks, "find_spec", lambda name: None)
    assert not found("E007")


def test_only_what_is_routed_counts(settings: Any, routed: Any) -> None:
    """One's own provider alone needs its own key only; a secret may be given to the view itself; inbound is not ours."""
    settings.ANYMAIL = {"MAILGUN_WEBHOOK_SIGNING_KEY": "k"}
    routed(MailgunTrackingWebhookView.as_view(), PostmarkInboundWebhookView.as_view())
    assert not found("E007")
    routed(PostmarkTrackingWebhookView.as_view(basic_auth=["a:b"]))
    assert not found("E007")
    routed(PostmarkTrackingWebhookView.as_view())
    assert "Postmark" in found("E007")[0].msg


@pytest.mark.parametrize(
    ("provider", "key"),
    [("mailgun", "MAILGUN"), ("mailersend", "MAILERSEND_SIGNING_SECRET"), ("mandrill", "WEBHOOK_KEY")],
)
def test_a_signing_provider_without_its_key(settings: Any, routed: Any, provider: str, key: str) -> None:
    """Its webhook answers 500 to everything, so bounces are never heard."""
    routed()
    settings.ANYMAIL = {"WEBHOOK_SECRET": "a:b"}
    use_backend(settings, provider)
    (message,) = found("E007")
    assert key in message.msg
    assert "signing key" in message.hint


def test_a_signing_provider_with_its_key(settings: Any, routed: Any) -> None:
    routed()
    settings.ANYMAIL = {"WEBHOOK_SECRET": "a:b", "MAILGUN_API_KEY": "k"}
    use_backend(settings, "mailgun")
    assert not found("E007")


# E008


@pytest.mark.parametrize(
    ("key", "wrong", "right"),
    [
        ("QUIET_HOURS", ["night", "21-25", "21:00", "21:60-08:00"], ["", "22-7", "21:30-08:00"]),
        ("CONSENT_IP", ["full", "Hashed"], ["", "truncated", "hashed"]),
        ("OBJECTION_OFFERED_SINCE", ["yesterday", "2026-13-01"], ["", "2026-03-01", "2026-03-01T10:00+01:00"]),
        ("SIGN_UP_CHALLENGE", ["nowhere.at_all", "nothing", "sys.path"], ["", "builtins.bool"]),
        ("UNSUBSCRIBE_MAILTO", ["nobody", "https://x.example"], ["", "a@b.example", "mailto:a@b.example?subject=x"]),
        ("BASE_URL", ["shop.example", "//shop.example", "ftp://x"], ["", "https://shop.example"]),
    ],
)
def test_values_that_make_no_sense(settings: Any, key: str, wrong: list[str], right: list[str]) -> None:
    for value in wrong:
        settings.THANKYOU_FLOWS = {**settings.THANKYOU_FLOWS, key: value}
        (message,) = found("E008")
        assert key in message.msg and value in message.msg
        assert message.hint.startswith("Write ")
    for value in right:
        settings.THANKYOU_FLOWS = {**settings.THANKYOU_FLOWS, key: value}
        assert not found("E008"), value


def test_a_rest_there_must_be(settings: Any) -> None:
    """EM-12: without one, two workers could overrun MAILS_IN_30_DAYS together."""
    settings.THANKYOU_FLOWS = {**settings.THANKYOU_FLOWS, "MAIL_REST_HOURS": 0}
    (message,) = found("E008")
    assert "MAIL_REST_HOURS" in message.msg
    settings.THANKYOU_FLOWS = {**settings.THANKYOU_FLOWS, "MAIL_REST_HOURS": 1}
    assert not found("E008")


@pytest.mark.parametrize("key", ["MAILS_IN_30_DAYS", "LATE_DAYS", "MAIL_ATTEMPTS", "LEASE_SECONDS", "CONFIRM_HOURS"])
def test_a_zero_that_would_stop_everything_is_said(settings: Any, key: str) -> None:
    settings.THANKYOU_FLOWS = {**settings.THANKYOU_FLOWS, key: 0}
    (message,) = found("E008")
    assert key in message.msg


def test_a_setting_that_is_no_dict_is_said_once(settings: Any) -> None:
    settings.THANKYOU_FLOWS = "x"
    assert not found("E008") and not found("W006")


# W004 to W006


@pytest.fixture
def marketing(db: None) -> FollowUp:
    """A follow-up that is switched on."""
    return FollowUp.objects.create(title="Care", trigger="order_paid", is_on=True)


NEEDED = {"MAIL_FOOTER": "Kettle & Fern, Berlin", "BASE_URL": "https://shop.example"}


def warned(settings: Any, **changes: Any) -> set[str]:
    settings.THANKYOU_FLOWS = {**settings.THANKYOU_FLOWS, **NEEDED, **changes}
    ids = {message.id.partition(".")[2] for message in run_checks(databases=["default"]) if message.id}
    return ids & {"W004", "W005", "W006"}


def test_a_shop_that_writes_marketing(settings: Any, marketing: FollowUp, monkeypatch: Any) -> None:
    """OP-1: who writes, how, and by which address; each warning goes when it is done."""
    assert warned(settings, MAIL_FOOTER=" ", BASE_URL="http://shop.example") == {"W004", "W005", "W006"}
    monkeypatch.setattr(waking, "is_immediate", lambda: False)
    assert warned(settings) == set()


@pytest.mark.django_db
def test_a_shop_that_writes_none_is_left_alone(settings: Any) -> None:
    """No false alarm: thank-you pages and coupons need neither a footer nor a worker."""
    FollowUp.objects.create(title="Off", trigger="order_paid", is_on=False)
    FollowUp.objects.create(title="Receipt", trigger="order_paid", is_on=True, kind=MessageKind.TRANSACTIONAL)
    assert warned(settings, MAIL_FOOTER="") == set()


@pytest.mark.django_db
def test_somebody_on_a_list_is_marketing(settings: Any) -> None:
    letters = MailingList.objects.create(slug="letters", title="Letters", purpose="News")
    person = Subscription.objects.create(mailing_list=letters, email="a@b.example", email_key="c:a")
    assert "W004" not in warned(settings, MAIL_FOOTER="")
    Subscription.objects.filter(pk=person.pk).update(state="confirmed")
    assert "W004" in warned(settings, MAIL_FOOTER="")


def test_without_the_database_only_the_settings_are_looked_at(settings: Any, marketing: FollowUp) -> None:
    """ "check" in a build has no database, and does not look for one."""
    settings.THANKYOU_FLOWS = {**settings.THANKYOU_FLOWS, "MAIL_FOOTER": ""}
    assert not found("W004") and not found("W005")
    settings.THANKYOU_FLOWS = {**settings.THANKYOU_FLOWS, "BASE_URL": "http://shop.example"}
    assert found("W006")


def test_before_the_first_migration(settings: Any, db: None, monkeypatch: Any) -> None:
    def no_tables() -> bool:
        raise DatabaseError("no such table")

    monkeypatch.setattr(checks, "writes_marketing", no_tables)
    assert warned(settings, MAIL_FOOTER="") == set()


@pytest.mark.parametrize("host", ["http://127.0.0.1:8000", "http://[::1]", "http://localhost", "http://shop.localhost"])
def test_ones_own_machine_needs_no_certificate(settings: Any, host: str) -> None:
    settings.THANKYOU_FLOWS = {**settings.THANKYOU_FLOWS, "BASE_URL": host}
    assert not found("W006") and not found("E008")


def test_the_default_site_counts_where_no_address_is_set(settings: Any, marketing: FollowUp) -> None:
    from wagtail.models import Site

    Site.objects.update(hostname="shop.example", port=80)
    assert "W006" in warned(settings, BASE_URL="")
    Site.objects.update(port=443)
    assert "W006" not in warned(settings, BASE_URL="")
    Site.objects.all().delete()
    assert "W006" in warned(settings, BASE_URL="")


def test_development_is_not_warned(settings: Any, marketing: FollowUp) -> None:
    settings.DEBUG = True
    assert warned(settings, MAIL_FOOTER="", BASE_URL="http://shop.example") == set()


@pytest.mark.django_db
def test_the_command_says_it(settings: Any, marketing: FollowUp, capsys: Any) -> None:
    settings.THANKYOU_FLOWS = {**settings.THANKYOU_FLOWS, "MAIL_FOOTER": ""}
    call_command("check", "--database", "default")
    assert "thankyou_flows.W004" in capsys.readouterr().err
