"""The translations: nothing missing, nothing behind the code, and pages that really speak the language.

``scripts/messages.py`` takes the texts from the code with Babel, which the package needs anyway: the check runs
wherever the tests run, and no missing gettext tool can skip it.
"""

from __future__ import annotations

import gettext
import re
import string
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest
from babel.messages.catalog import Message
from django.template.loader import render_to_string
from django.test import Client
from django.urls import reverse
from django.utils import timezone, translation
from djmoney.money import Money
from wagtail.models import Site

from coupons import issuing, links
from coupons.models import Campaign, Question
from scripts import messages
from thankyou_flows.pages.models import ThankYouPage
from thankyou_flows.texts import format_day, format_deadline, format_money, format_remaining
from thankyou_flows.values import Address
from wishlists import cookies
from wishlists.lines import Line, Lines

GERMAN = messages.LOCALE / "de" / "LC_MESSAGES" / "django.po"
LANGUAGES = [path.parent.parent.name for path in messages.catalogues()]
NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)


def texts_of(language: str) -> list[Message]:
    catalogue = messages.load(messages.LOCALE / language / "LC_MESSAGES" / "django.po")
    return [message for message in catalogue if message.id]


def as_list(texts: Any) -> list[str]:
    return list(texts) if isinstance(texts, (list, tuple)) else [texts]


def placeholders(text: str) -> set[str]:
    """Return what is filled in, in both spellings, and the tags and addresses that must survive a translation."""
    percent = re.findall(r"%\(\w+\)[sd]|%%", text)
    brace = [f"{{{name}}}" for _text, name, _format, _conversion in string.Formatter().parse(text) if name]
    return {*percent, *brace, *re.findall(r"</?\w+", text)}


@pytest.fixture
def german(settings: Any, tmp_path: Path) -> Iterator[None]:
    """German as it stands in the catalogue now, whatever has been compiled before."""
    messages.compile_catalogue(GERMAN, tmp_path / "de" / "LC_MESSAGES" / "django.mo")
    settings.LOCALE_PATHS = [tmp_path]
    with translation.override("de"):
        yield


# The catalogues ---------------------------------------------------------------------------------------------


def test_the_catalogues_hold_the_texts_of_the_code(capsys: pytest.CaptureFixture[str]) -> None:
    """Run "make messages" after a text was changed, and translate what is new."""
    assert messages.main(["--check"]) == 0, capsys.readouterr().out


@pytest.mark.teeth
def test_the_check_notices_a_text_that_is_new_or_gone(monkeypatch: pytest.MonkeyPatch) -> None:
    texts, more = messages.extracted(), messages.extracted()
    more.add("A text that no catalogue has.")
    monkeypatch.setattr(messages, "extracted", lambda: more)
    assert messages.main(["--check"]) == 1
    texts.delete("Your cart")
    monkeypatch.setattr(messages, "extracted", lambda: texts)
    assert messages.main(["--check"]) == 1


def test_every_text_is_found() -> None:
    """The extraction reads Python, templates, plural forms, contexts and texts that are arguments of a tag."""
    found = {(message.context, message.id) for message in messages.extracted() if message.id}
    assert (None, "This coupon cannot be used.") in found
    assert (None, "Show my coupon") in found  # {% include … with label=_("…") %}
    assert (None, ("Subtotal, %(count)s piece", "Subtotal, %(count)s pieces")) in found
    assert ("quantity in the cart", "Update") in found


def test_german_is_complete() -> None:
    assert [message.id for message in texts_of("de") if message.fuzzy or not messages.is_translated(message)] == []


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_translation_keeps_what_is_filled_in(language: str) -> None:
    wrong = []
    for message in texts_of(language):
        originals, translations = as_list(message.id), [text for text in as_list(message.string) if text]
        allowed = [placeholders(original) for original in originals]
        wrong += [text for text in translations if placeholders(text) not in allowed]
        wrong += [text for text in translations if text != text.strip()]
    assert wrong == []


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_translation_changes_no_word_of_django_and_wagtail(language: str) -> None:
    """All catalogues become one: a short text of ours that they have too must mean the same, or carry a context."""
    different = []
    for package in ("django", "wagtail"):
        spec = find_spec(package)
        assert spec is not None and spec.origin is not None
        for path in Path(spec.origin).parent.rglob(f"locale/{language}/LC_MESSAGES/django.mo"):
            with path.open("rb") as file:
                theirs = gettext.GNUTranslations(file)
            for message in texts_of(language):
                if message.context is not None or not isinstance(message.id, str):
                    continue
                other = theirs.gettext(message.id)
                if other not in {message.id, message.string}:
                    different.append(f"{message.id}: {message.string!r} here, {other!r} in {path}")
    assert different == []


def test_no_text_is_put_together_before_it_is_translated() -> None:
    """An f-string or a sum inside a call of gettext is never found in a catalogue."""
    call = re.compile(r"""\b(?:_|n?p?gettext(?:_lazy)?)\(\s*(?:[rbu]?f["']|["'][^"'\n]*["']\s*(?:%|\+|\.format))""")
    for path in messages.sources():
        if path.suffix == ".py":
            assert not call.search(path.read_text(encoding="utf-8")), path


# What people read -------------------------------------------------------------------------------------------


@pytest.mark.usefixtures("german")
def test_money_times_and_countries_are_written_in_german() -> None:
    """CD-6: a deadline names its zone, by the name it has in the reader's language."""
    with timezone.override("Europe/Berlin"):
        assert format_money(Money("1234.5", "EUR")) == "1.234,50\xa0€"
        assert format_deadline(NOON + timedelta(hours=1), now=NOON) == "heute, 14:00 Uhr (MEZ)"
        assert format_deadline(NOON + timedelta(hours=24), now=NOON) == "morgen, 13:00 Uhr (MEZ)"
        assert format_deadline(NOON + timedelta(days=35), now=NOON) == "Montag, 6. April 2026, 14:00 Uhr (MESZ)"
    assert format_day(NOON.date()) == "Mo., 2. März"
    assert [Address(country=code).country_name for code in ("AT", "XX", "")] == ["Österreich", "XX", ""]
    assert format_remaining(NOON + timedelta(minutes=65), now=NOON) == "1 Std. 5 Min."


@pytest.mark.usefixtures("german")
def test_a_benefit_is_named_in_german() -> None:
    assert Campaign(benefit=Campaign.Benefit.FREE_SHIPPING).headline == "Kostenloser Versand"
    assert Campaign(benefit=Campaign.Benefit.PERCENT, percent=Decimal(10)).headline == "10\xa0% Rabatt"
    assert Campaign(benefit=Campaign.Benefit.AMOUNT, amount=Money(5, "EUR")).headline == "5,00\xa0€ Rabatt"


@pytest.mark.django_db
@pytest.mark.usefixtures("german")
@pytest.mark.parametrize(
    ("mode", "words"),
    [
        ("first_order", ["Vielen Dank, Anna", "Ihre Bestellung ist bezahlt", "48,80\xa0€", "Deutschland", "Gesamt"]),
        ("offer_running", ["Kostenloser Versand bis <time", "Uhr (ME", "Ich brauche mehr Zeit", "Verbleibende Zeit"]),
        ("offer_over", ["Dieses Angebot galt bis", "Weiter einkaufen"]),
        ("waiting", ["wir warten noch auf den Zahlungseingang"]),
        ("stranger", ["Vielen Dank", "melden Sie sich in Ihrem Konto an"]),
    ],
)
def test_the_thank_you_page_speaks_german(mode: str, words: list[str]) -> None:
    """A page made and shown in German: its first texts, its blocks and its frame."""
    campaign = Campaign.objects.create(
        title="Angebot", status=Campaign.Status.RUNNING, benefit=Campaign.Benefit.FREE_SHIPPING, deadline_minutes=60
    )
    page = ThankYouPage(title="Danke")
    page.body.append(("offer", {"campaign": campaign}))
    Site.objects.get(is_default_site=True).root_page.add_child(instance=page)
    page.refresh_from_db()
    html = page.make_preview_request(preview_mode=mode).content.decode()
    for text in words:
        assert text in html


@pytest.mark.django_db
@pytest.mark.usefixtures("german")
def test_a_locked_coupon_speaks_german(client: Client) -> None:
    """CO-9: its questions, what is still missing, and a friendly word for who would rather not answer."""
    campaign = Campaign(
        title="Drei Fragen", status="running", benefit="percent", percent=Decimal(15), deadline_minutes=1440
    )
    campaign.questions = [Question(label="Lieblingstee", purpose="Damit wir besser empfehlen.")]
    campaign.save()
    answer = client.get(links.unlock_path(issuing.issue(campaign=campaign)), follow=True)
    path, html = answer.request["PATH_INFO"], answer.content.decode()
    for text in (
        "Auf Sie wartet ein Gutschein",
        "Beantworten Sie eine Frage, und er gehört Ihnen.",
        "15\xa0% Rabatt",
        "Nach dem Freischalten gilt er einen Tag lang.",
        "Wir bewahren Ihre Antwort ein Jahr lang auf.",
        "Meinen Gutschein freischalten",
        "Nein, danke",
    ):
        assert text in html
    assert "Bitte beantworten Sie diese Frage." in client.post(path, {"command": "answer"}).content.decode()
    assert "Das ist völlig in Ordnung" in client.post(path, {"command": "decline"}, follow=True).content.decode()


@pytest.mark.django_db
@pytest.mark.usefixtures("german")
def test_the_cart_speaks_german(client: Client, settings: Any) -> None:
    settings.THANKYOU_WISHLISTS = {"CATALOG": "tests.test_wishlists.catalogs.MemoryCatalog"}
    client.cookies["cart"] = cookies.encode(
        cookies.Kept(Lines((Line("tea", 2), Line("pot", 1), Line("cup", 1))), Lines())
    )
    html = client.get(reverse("thankyou_wishlists:cart")).content.decode()
    for text in (
        "Ihr Warenkorb",
        "je 12,50\xa0€",
        "Zwischensumme, 3 Stück",
        "85,00\xa0€",
        "Aktualisieren",
        "Entfernen",
    ):
        assert text in html
    assert "Das lässt sich im Moment nicht bestellen." in html
    client.cookies.clear()
    assert "Ihr Warenkorb ist leer." in client.get(reverse("thankyou_wishlists:cart")).content.decode()


@pytest.mark.usefixtures("german")
@pytest.mark.parametrize(("hours", "words"), [(1, "innerhalb von 1 Stunde und"), (48, "innerhalb von 48 Stunden und")])
def test_the_newsletter_mail_speaks_german(hours: int, words: str) -> None:
    context = {"site_name": "Teehaus", "url": "https://shop.example/x/", "hours": hours}
    mail = render_to_string("thankyou_flows/email/newsletter_confirm_message.txt", context)
    assert words in mail
    assert "den Newsletter von Teehaus" in mail
