"""The proof of each consent: what it keeps, and how a person gets it (EM-4)."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth import get_user_model
from django.contrib.auth.models import Permission
from django.core import mail
from django.test import Client
from django.urls import reverse

from coupons.holders import customer_key
from tests.test_flows.newsletter_tools import link_in
from thankyou_flows.mail import suppression
from thankyou_flows.models import ConsentReceipt, MailingList, Subscription
from thankyou_flows.newsletter import export_receipts
from thankyou_flows.newsletter.receipts import kept_ip

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize(
    ("mode", "address", "kept"),
    [
        ("", "192.0.2.17", ""),
        ("truncated", "192.0.2.17", "192.0.2.0/24"),
        ("truncated", "2001:db8:1:2::/64", "2001:db8:1::/48"),
        ("truncated", "unknown", ""),
        ("truncated", "", ""),
        ("hashed", "", ""),
        ("something else", "192.0.2.17", ""),
    ],
)
def test_how_much_of_the_network_address_is_kept(settings: Any, mode: str, address: str, kept: str) -> None:
    """EM-4: nothing, unless the shop wants it; never the whole."""
    settings.THANKYOU_FLOWS = {"CONSENT_IP": mode}
    assert kept_ip(address) == kept


def test_a_hashed_address_is_keyed(settings: Any) -> None:
    """EM-4: the same for the same address and key, and fits the column."""
    settings.THANKYOU_FLOWS = {"CONSENT_IP": "hashed"}
    first = kept_ip("192.0.2.17")
    assert first == kept_ip("192.0.2.17") != kept_ip("192.0.2.18")
    assert "192" not in first.partition(":")[0]
    assert len(first) <= 80
    settings.SECRET_KEY = "another"  # noqa: S105 - of this test
    assert kept_ip("192.0.2.17") != first


def test_both_receipts_have_it(settings: Any, client: Client, ask: Any, press: Any) -> None:
    """EM-4: at the request and at the confirmation; the method and the list of each."""
    settings.THANKYOU_FLOWS = {**settings.THANKYOU_FLOWS, "CONSENT_IP": "truncated"}
    ask(ip_key="192.0.2.17", method=ConsentReceipt.Method.CHECKOUT)
    press(mail.outbox[0])
    asked, confirmed = ConsentReceipt.objects.all()
    assert (asked.method, asked.ip) == ("checkout", "192.0.2.0/24")
    assert (confirmed.method, confirmed.ip) == ("link", "127.0.0.0/24")
    assert asked.purpose == confirmed.purpose
    assert asked.purpose.startswith("Letters from the shop: What is new")


def test_the_old_words_stay(newsletter: MailingList, ask: Any, clock: Any, press: Any) -> None:
    """EM-4: when the owner changes the list, receipts keep what it was; also of a confirmation that comes later."""
    ask(wording="Old words")
    newsletter.title, newsletter.purpose, newsletter.promise = "New", "Something else.", "Daily."
    newsletter.save()
    press(mail.outbox[0])
    clock.shift(timedelta(minutes=5))
    ask("ben@example.com", wording="New words")
    receipts = list(ConsentReceipt.objects.values_list("kind", "wording", "purpose"))
    assert receipts == [
        ("requested", "Old words", "Letters: What is new. Twice a month."),
        ("confirmed", "Old words", "Letters: What is new. Twice a month."),
        ("requested", "New words", "New: Something else. Daily."),
    ]


def test_the_longest_list_fits(ask: Any) -> None:
    """EM-4: a proof is not cut off."""
    MailingList.objects.create(slug="newsletter", title="t" * 80, purpose="p" * 200, promise="q" * 200)
    ask()
    assert ConsentReceipt.objects.get().purpose.endswith("q" * 200)


def test_the_export_is_one_persons(
    newsletter: MailingList, recipes: MailingList, ask: Any, clock: Any, press: Any
) -> None:
    """EM-4: all lists, oldest first, by any spelling; nobody else's; JSON."""
    ask("Ann@Example.com", wording="Yes", source="page 1, revision 2", path="/a/")
    press(mail.outbox[0])
    clock.shift(timedelta(minutes=5))
    ask("ann@example.com", list_slug="recipes")
    ask("ben@example.com")
    suppression.leave(email_key=customer_key("ann@example.com"), mailing_list=newsletter)
    found = json.loads(json.dumps(export_receipts(email=" ANN@example.com")))
    assert [(row["list"], row["kind"]) for row in found] == [
        ("newsletter", "requested"),
        ("newsletter", "confirmed"),
        ("recipes", "requested"),
        ("newsletter", "left"),
    ]
    assert found[0] == {
        "list": "newsletter",
        "email": "Ann@Example.com",
        "state": "left",
        "kind": "requested",
        "method": "block",
        "at": "2026-03-02T12:00:00+00:00",
        "purpose": "Letters: What is new. Twice a month.",
        "wording": "Yes",
        "source": "page 1, revision 2",
        "path": "/a/",
        "language": "",
        "ip": "",
    }
    assert export_receipts(email="") == []


def signed_in(*permissions: str) -> Client:
    user = get_user_model().objects.create_user("owner", "owner@example.com", "pw")
    names = ["access_admin", *permissions]
    user.user_permissions.set(Permission.objects.filter(codename__in=names))
    client = Client()
    client.force_login(user)
    return client


def test_the_owner_reads_what_was_agreed(ask: Any, press: Any) -> None:
    """EM-4, CM-4: word by word, and as a file; not without the permission."""
    ask(wording="First <b>line</b>\nSecond line", source="page 7, revision 12")
    press(mail.outbox[0])
    pk = Subscription.objects.get().pk
    owner = signed_in("view_subscription")
    inspect = reverse("thankyou_flows_subscription:inspect", args=[pk])
    html = owner.get(inspect).content.decode()
    for text in ("“First &lt;b&gt;line&lt;/b&gt;”", "“Second line”", "page 7, revision 12", "Letters from the shop: "):
        assert html.count(text) == 2
    download = reverse("thankyou_flows_subscription:receipts", args=[pk])
    assert download in html
    response = owner.get(download)
    assert "attachment" in response["Content-Disposition"]
    assert "no-store" in response["Cache-Control"]
    assert [row["kind"] for row in response.json()] == ["requested", "confirmed"]
    get_user_model().objects.all().delete()
    stranger = signed_in("view_campaign")
    for url in (inspect, download):
        assert stranger.get(url)["Location"] == reverse("wagtailadmin_home")
    assert Client().get(download).status_code == 302


def test_the_link_is_in_no_receipt(client: Client, ask: Any) -> None:
    """TY-4: the path of a confirmation is a pattern."""
    ask()
    url = link_in(mail.outbox[0])
    client.post(url)
    assert url not in json.dumps(export_receipts(email="ann@example.com"))
