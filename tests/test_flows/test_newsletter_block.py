"""The newsletter block: the form on a page, as a visitor and as a program meets it."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Any

import pytest
from django.core import mail
from django.core.exceptions import ValidationError
from django.test import Client
from django.urls import reverse

from thankyou_flows.blocks import NewsletterBlock
from thankyou_flows.flow import Flow
from thankyou_flows.models import ConsentReceipt, Subscription
from thankyou_flows.values import AccessLevel

from .conftest import make_order
from .newsletter_tools import link_in

State = Subscription.State
WORDS = {
    "heading": "Letters from the kitchen",
    "text": "Recipes, and what is new.",
    "promise": "Twice a month.",
    "button": "Write to me",
    "list_slug": "newsletter",
}


class Form:
    """The block on a published page, and a visitor who fills it in."""

    def __init__(self, client: Client, page: Any) -> None:
        self.client = client
        self.page = page

    @property
    def block(self) -> Any:
        return type(self.page).objects.get(pk=self.page.pk).body[0]

    @property
    def url(self) -> str:
        return reverse("thankyou_flows:act", args=[self.page.pk, self.block.id])

    def show(self, url: str = "") -> str:
        return self.client.get(url or reverse("thankyou_flows:thank_you")).content.decode()

    @staticmethod
    def hidden(html: str) -> dict[str, str]:
        return dict(re.findall(r'<input type="hidden" name="(\w+)" value="([^"]*)"', html))

    def send(self, email: str = "ann@example.com", *, html: str = "", **changes: str) -> Any:
        data = {**self.hidden(html or self.show()), "email": email, "homepage": "", **changes}
        return self.client.post(self.url, data)


@pytest.fixture
def form(client: Client, make_page: Any, settings: Any) -> Form:
    settings.THANKYOU_FLOWS = {**settings.THANKYOU_FLOWS, "MIN_FILL_SECONDS": 0}
    return Form(client, make_page(body=[("newsletter", WORDS)]))


@pytest.mark.django_db
def test_the_journey(form: Form, django_capture_on_commit_callbacks: Any) -> None:
    """EM-1, EM-4: from the form to the list; what was shown is what is kept."""
    html = form.show()
    with django_capture_on_commit_callbacks(execute=True):
        answer = form.send(html=html)
    assert answer.status_code == 303
    assert "Please look into your mailbox" in form.show(answer["Location"])
    asked = ConsentReceipt.objects.get()
    for line in asked.wording.splitlines():
        assert line in html
    assert asked.wording.splitlines()[:3] == [WORDS["heading"], WORDS["text"], WORDS["promise"]]
    assert "“Write to me”" in asked.wording
    assert asked.path == "/thanks/"
    assert asked.source.startswith(f"page {form.page.pk}, revision ")
    assert mail.outbox[0].body.count("http://testserver/") == 1
    form.client.post(link_in(mail.outbox[0]))
    assert Subscription.objects.get().state == State.CONFIRMED


@pytest.mark.django_db
def test_six_kinds_of_addresses_get_one_answer(
    form: Form, ask: Any, clock: Any, django_capture_on_commit_callbacks: Any
) -> None:
    """EM-2: new, pending, had enough, confirmed, left and undeliverable: byte by byte the same."""
    ask("pending@example.com")
    ask("confirmed@example.com")
    ask("left@example.com")
    for name in ("confirmed", "left"):
        Subscription.objects.filter(email=f"{name}@example.com").update(state=name)
    for _n in range(3):
        ask("enough@example.com")
        clock.shift(timedelta(minutes=4))
    mail.outbox.clear()
    answers = []
    for name in ("new@example.com", "pending@example.com", "enough@example.com", "confirmed@example.com"):
        with django_capture_on_commit_callbacks(execute=True):
            answers.append(form.send(name))
    for name in ("left@example.com", "nobody@no-such-domain.invalid"):
        with django_capture_on_commit_callbacks(execute=True):
            answers.append(form.send(name))
    assert {answer.status_code for answer in answers} == {303}
    assert len({answer["Location"] for answer in answers}) == 1
    assert len({tuple(sorted(answer.headers.items())) for answer in answers}) == 1
    assert len({form.show(answer["Location"]) for answer in answers}) == 1
    assert {message.to[0].partition("@")[0] for message in mail.outbox} == {"new", "pending", "left", "nobody"}


@pytest.mark.django_db
def test_the_old_wording_stays(form: Form, django_capture_on_commit_callbacks: Any) -> None:
    """EM-4: when the owner changes the text, the receipt keeps the old one; a form shown before is shown again."""
    stale = form.show()
    with django_capture_on_commit_callbacks(execute=True):
        form.send(html=stale)
    page = form.page
    page.body = [("newsletter", {**WORDS, "promise": "Every day."})]
    page.save_revision().publish()
    answer = form.send("ben@example.com", html=stale)
    assert answer.status_code == 422
    assert "The text here was changed in the meantime" in answer.content.decode()
    assert "Every day." in answer.content.decode()
    assert not Subscription.objects.filter(email="ben@example.com").exists()
    assert form.send("ben@example.com", html=answer.content.decode()).status_code == 303
    kept = [receipt.wording for receipt in ConsentReceipt.objects.all()]
    assert "Twice a month." in kept[0]
    assert "Every day." not in kept[0]
    assert "Every day." in kept[1]


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("email", "says"), [("", "Please type your e-mail address."), ("ann@", "Please check this address.")]
)
def test_a_wrong_address_is_explained(form: Form, email: str, says: str) -> None:
    """AX-3: the error is text, beside the field and tied to it; what was typed is still there."""
    html = form.send(email).content.decode()
    field = re.search(r'<input type="email"[^>]*>', html)
    assert field
    assert 'aria-invalid="true"' in field[0]
    assert 'autocomplete="email"' in field[0]
    described = re.search(r'aria-describedby="([^"]+)"', field[0])
    assert described
    error = re.search(rf'id="{described[1]}"\s*>([^<]+)<', html)
    assert error
    assert says in error[1]
    if email:
        assert f'value="{email}"' in field[0]


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"homepage": "http://spam.example"}, "not meant for people"),
        ({"stamp": ""}, "lost on the way"),
        ({"stamp": "0123456789abcdef:1:forged"}, "lost on the way"),
        ({"stamp": "\x00é"}, "Null characters"),
    ],
)
def test_programs_are_told(form: Form, changes: dict[str, str], says: str) -> None:
    """EM-3: honeypot and stamp: no mail, no lie, and a person gets through at the second try."""
    answer = form.send(**changes)
    assert answer.status_code == 422
    assert says in answer.content.decode()
    assert not Subscription.objects.exists()
    assert form.send(html=answer.content.decode()).status_code == 303


@pytest.mark.django_db
def test_too_fast(form: Form, settings: Any, clock: Any) -> None:
    """EM-3: a form that comes back at once comes from a program; a second later it is fine."""
    settings.THANKYOU_FLOWS = {**settings.THANKYOU_FLOWS, "MIN_FILL_SECONDS": 1}
    html = form.show()
    clock.shift(timedelta(milliseconds=300))
    answer = form.send(html=html)
    assert answer.status_code == 422
    assert "quicker than we expected" in answer.content.decode()
    clock.shift(timedelta(seconds=1))
    assert form.send(html=answer.content.decode()).status_code == 303


@pytest.mark.django_db
def test_the_trap_is_hidden_from_everybody(form: Form) -> None:
    """AX-3: neither keyboard nor screen reader meets the field that nobody should fill in."""
    html = form.show()
    trap = re.search(r'<p class="ty-trap"[^>]*aria-hidden="true">.*?</p>', html, re.DOTALL)
    assert trap
    assert 'tabindex="-1"' in trap[0]
    assert 'autocomplete="off"' in trap[0]
    assert "style=" not in html[html.index("ty-trap") : html.index("</form>", html.index("ty-trap"))]


@pytest.mark.django_db
def test_too_many_from_one_place(form: Form, clock: Any) -> None:
    """EM-3: said openly, because it says nothing about any address."""
    for n in range(20):
        assert form.send(f"person-{n}@example.com").status_code == 303
    answer = form.send("person-20@example.com")
    assert answer.status_code == 422
    assert "Please try again in a few minutes" in answer.content.decode()
    assert Subscription.objects.count() == 20


@pytest.mark.django_db
def test_known_addresses_are_filled_in() -> None:
    """AX-3: what was typed at the checkout is not asked again; only where personal data may be shown (TY-1)."""
    block = NewsletterBlock()
    value = block.to_python(WORDS)
    order = make_order(email="ann@example.com")
    full = block.get_form(value=value, flow=Flow(order=order, level=AccessLevel.FULL))
    limited = block.get_form(value=value, flow=Flow(order=order.without_personal_data(), level=AccessLevel.LIMITED))
    assert full["email"].value() == "ann@example.com"
    assert not limited["email"].value()
    assert not block.get_form(value=value, flow=Flow())["email"].value()


@pytest.mark.django_db
def test_the_privacy_page_is_part_of_the_wording(settings: Any) -> None:
    """EM-4: a link that was shown is kept, too."""
    block = NewsletterBlock()
    value = block.to_python(WORDS)
    assert "privacy" not in block.get_wording(value)
    settings.THANKYOU_FLOWS = {**settings.THANKYOU_FLOWS, "PRIVACY_URL": "/privacy/"}
    assert block.get_wording(value).endswith("How we treat your data: /privacy/")
    assert 'href="/privacy/"' in block.render(value, {"flow": Flow(), "block_id": "b1"})


def test_the_list_is_a_slug() -> None:
    """EM-4: the owner names a list in letters that mail programs understand."""
    block = NewsletterBlock()
    with pytest.raises(ValidationError):
        block.clean(block.to_python({**WORDS, "list_slug": "two words"}))
    block.clean(block.to_python(WORDS))
