"""The one view behind all action blocks, on thank-you pages and on any other page (D4)."""

from __future__ import annotations

from typing import Any

import pytest
from django.core import mail
from django.test import Client
from django.urls import reverse

from thankyou_flows.models import Subscription
from thankyou_flows.outcomes import PARAMETER, read_outcomes, with_outcome
from thankyou_flows.pages.models import ThankYouPage

from .conftest import finish

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def quick_forms(settings: Any) -> None:
    settings.THANKYOU_FLOWS = {**settings.THANKYOU_FLOWS, "MIN_FILL_SECONDS": 0}


@pytest.fixture
def newsletter_page(make_page: Any) -> ThankYouPage:
    return make_page(body=[("newsletter", {"heading": "Letters", "button": "Go", "list_slug": "newsletter"})])


def block_of(page: Any) -> Any:
    return next(child for child in page.body if child.block_type == "newsletter")


def stamp(body: str) -> str:
    return body.split('name="stamp"', 1)[1].split('value="', 1)[1].split('"', 1)[0]


def test_a_form_leads_back_to_its_block(client: Client, order: Any, newsletter_page: ThankYouPage) -> None:
    """AX-4: the same place says what happened; a reload says it again and sends nothing again."""
    finish(client, order.number)
    address = reverse("thankyou_flows:order", args=[order.number])
    block = block_of(newsletter_page)
    data = {"order": order.number, "email": "a@example.com", "stamp": stamp(client.get(address).content.decode())}
    response = client.post(reverse("thankyou_flows:act", args=[newsletter_page.pk, block.id]), data)
    assert response.status_code == 303
    assert response["Location"].startswith(address)
    assert response["Location"].endswith(f"#block-{block.id}")
    assert len(client.get(response["Location"]).content) > 0
    assert Subscription.objects.get().email == "a@example.com"


def test_errors_come_back_beside_the_field_with_what_was_typed(
    client: Client, order: Any, newsletter_page: ThankYouPage
) -> None:
    finish(client, order.number)
    response = client.post(
        reverse("thankyou_flows:act", args=[newsletter_page.pk, block_of(newsletter_page).id]),
        {"order": order.number, "email": "not an address <b>"},
    )
    body = response.content.decode()
    assert response.status_code == 422
    assert "not an address &lt;b&gt;" in body
    assert "T-1001" in body
    assert not Subscription.objects.exists()
    assert mail.outbox == []


@pytest.mark.parametrize("page_id", [0, 1, 999_999])
@pytest.mark.parametrize("block_id", ["preview", "x", "5a3f0d3e-6a43-4d7a-9c1f-2f6e1c8b7d00", "%00", "' OR 1=1"])
def test_unknown_blocks_and_pages_lead_to_the_page_that_everybody_sees(
    client: Client, newsletter_page: ThankYouPage, page_id: int, block_id: str
) -> None:
    response = client.post(reverse("thankyou_flows:act", args=[page_id, block_id]), {"order": "", "email": "a@b.de"})
    assert response.status_code == 303
    assert response["Location"] == reverse("thankyou_flows:thank_you")
    assert not Subscription.objects.exists()


def test_looking_at_an_action_is_not_allowed(client: Client, newsletter_page: ThankYouPage) -> None:
    """CO-12: a GET changes nothing."""
    address = reverse("thankyou_flows:act", args=[newsletter_page.pk, block_of(newsletter_page).id])
    assert client.get(address).status_code == 405
    assert client.head(address).status_code == 405


def test_another_sites_form_is_refused(newsletter_page: ThankYouPage) -> None:
    """ASVS 3.5.1: without a token in the page, the browser's own word decides."""
    strict = Client(enforce_csrf_checks=True)
    address = reverse("thankyou_flows:act", args=[newsletter_page.pk, block_of(newsletter_page).id])
    for headers in ({"Sec-Fetch-Site": "cross-site"}, {"Origin": "https://evil.example"}, {}):
        assert strict.post(address, {"email": "a@example.com"}, headers=headers).status_code == 403
    assert strict.post(address, {"email": "x"}, headers={"Sec-Fetch-Site": "same-origin"}).status_code != 403


@pytest.mark.parametrize("url", ["//evil.example/", "https://evil.example/", "/\\evil.example", "javascript:alert(1)"])
def test_no_open_redirect(client: Client, newsletter_page: ThankYouPage, url: str) -> None:
    """CM-3."""
    body = client.get(newsletter_page.url).content.decode()
    response = client.post(
        reverse("thankyou_flows:act", args=[newsletter_page.pk, block_of(newsletter_page).id]),
        {"next": url, "email": "a@example.com", "stamp": stamp(body)},
    )
    assert "evil" not in response["Location"]
    assert response["Location"].startswith(reverse("thankyou_flows:thank_you"))


def test_an_outcome_in_the_address_is_believed_only_with_our_signature(rf: Any) -> None:
    url = with_outcome("/x/", block_id="b1", code="sent").partition("#")[0]
    assert read_outcomes(rf.get(url)) == {"b1": "sent"}
    for forged in ("b1:sent", url[-5:], "", "x" * 5000, "\x00", "Ω"):
        assert read_outcomes(rf.get("/x/", {PARAMETER: forged})) == {}


def test_an_action_that_fails_changes_nothing_and_says_so(
    client: Client, order: Any, newsletter_page: ThankYouPage, monkeypatch: Any, caplog: Any
) -> None:
    """OP-4."""
    from thankyou_flows.blocks import NewsletterBlock

    def broken(self: Any, action: Any) -> Any:
        Subscription.objects.create(email="half@example.com", email_key="half")
        raise RuntimeError("secret detail")

    finish(client, order.number)
    body = client.get(reverse("thankyou_flows:order", args=[order.number])).content.decode()
    monkeypatch.setattr(NewsletterBlock, "act", broken)
    response = client.post(
        reverse("thankyou_flows:act", args=[newsletter_page.pk, block_of(newsletter_page).id]),
        {"order": order.number, "email": "a@example.com", "stamp": stamp(body)},
    )
    assert response.status_code == 422
    assert "secret detail" not in response.content.decode()
    assert "please try again" in response.content.decode()
    assert not Subscription.objects.exists()


def test_a_form_on_a_page_of_the_tree_comes_back_on_that_page(client: Client, make_page: Any) -> None:
    """D4: without an order, too, the page comes back with the form as it was filled, and not another page."""
    make_page("Fallback", body=[], generic_text="<p>Fallback words</p>")
    page = make_page(
        "Ruled",
        generic_text="<p>Ruled words</p>",
        rules=[("customer", {"kind": "returning"})],
        body=[("newsletter", {"heading": "Letters", "button": "Go", "list_slug": "newsletter"})],
    )
    response = client.post(
        reverse("thankyou_flows:act", args=[page.pk, block_of(page).id]), {"order": "", "email": "not an address"}
    )
    assert response.status_code == 422
    assert "Ruled words" in response.content.decode()
    assert "not an address" in response.content.decode()
