"""What makes the shop a demo: its data, its mailbox, its bank."""

from __future__ import annotations

from pathlib import Path

import pytest
from django.core.mail import EmailMultiAlternatives
from django.core.management import call_command
from django.test import Client
from wagtail.images import get_image_model
from wagtail.models import Page

from coupons.models import Campaign
from example_site.shop.models import Order, Product, ProductPage
from thankyou_flows.pages.models import ThankYouPage


def counts() -> dict[str, int]:
    models = [Product, ProductPage, Page, Campaign, get_image_model(), Order]
    return {model.__name__: model._default_manager.count() for model in models}


def test_loading_twice_changes_nothing(db: None, settings, tmp_path: Path, capsys, client: Client) -> None:
    settings.MEDIA_ROOT = tmp_path
    settings.MAIL_FOLDER = tmp_path / "mail"
    call_command("load_demo")
    first = counts()
    assert (first["Product"], first["ProductPage"], first["Campaign"]) == (24, 24, 6)
    Product.objects.filter(sku="KF-T01").update(stock=1)
    call_command("load_demo")
    assert counts() == first
    assert Product.objects.get(sku="KF-T01").stock == 1
    for path in ("/", "/tea/", "/tea/sencha-morning/", "/admin/login/"):
        assert client.get(path).status_code == 200
    assert client.login(username="editor", password="editor")
    assert client.get("/admin/").status_code == 200
    shown = {
        page.slug: block.value["show"]["states"]
        for page in ThankYouPage.objects.all()
        for block in page.body
        if block.block_type == "text"
    }
    assert shown == {"thank-you": ["paid"], "welcome-back": ["placed", "paid"]}
    call_command("load_demo", reset=True)
    assert counts() == first
    assert Product.objects.get(sku="KF-T01").stock > 1
    assert capsys.readouterr().out == ""


def test_the_banner_names_what_one_needs(capsys) -> None:
    call_command("demo_banner")
    text = capsys.readouterr().out
    for word in ("http://127.0.0.1:", "/admin/", "admin / admin", "/demo/mail/", "/demo/bank/"):
        assert word in text


@pytest.fixture
def letter(settings, tmp_path: Path) -> str:
    settings.MAIL_FOLDER = tmp_path
    settings.EMAIL_BACKEND = "example_site.demo.mailbox.FolderBackend"
    message = EmailMultiAlternatives("Grüße", "Look: https://shop.example/thanks/ <b>", to=["ada@example.com"])
    message.attach_alternative(
        "<html><head></head><body><a href='/x'>x</a><script>1</script></body></html>", "text/html"
    )
    # pytest-django puts its own backend in; the folder is asked directly.
    from example_site.demo.mailbox import FolderBackend, list_letters

    FolderBackend().send_messages([message])
    return list_letters()[0].key


def test_the_mailbox(db: None, client: Client, letter: str) -> None:
    """Issue 2: a newcomer can click the confirmation link."""
    assert "Grüße" in client.get("/demo/mail/").content.decode()
    text = client.get(f"/demo/mail/{letter}/").content.decode()
    assert 'href="https://shop.example/thanks/"' in text
    assert "&lt;b&gt;" in text
    html = client.get(f"/demo/mail/{letter}/html/")
    assert "sandbox" in html["Content-Security-Policy"]
    assert "script-src 'none'" in html["Content-Security-Policy"]
    assert '<base target="_blank">' in html.content.decode()


@pytest.mark.parametrize("key", ["..%2Fsecret", "nothing", "20260101T000000000000-00000000"])
def test_the_mailbox_stays_in_its_folder(db: None, client: Client, letter: str, key: str) -> None:
    assert client.get(f"/demo/mail/{key}/").status_code == 404


def test_a_real_shop_has_none_of_it(db: None, client: Client, settings) -> None:
    settings.DEMO = False
    for path in ("/demo/mail/", "/demo/bank/"):
        assert client.get(path).status_code == 404
