"""The preference page: one form, without scripts, for lists, follow-ups, how often, a pause, and leaving it all."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from html.parser import HTMLParser
from typing import Any

import pytest
import time_machine
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from thankyou_flows.mail.links import Holder, make_token, preferences_path_for, preferences_url
from thankyou_flows.mail.preferences import Wish, masked, read_preferences, save_preferences
from thankyou_flows.mail.suppression import leave, suppress
from thankyou_flows.models import ConsentReceipt, Contact, MailingList, Message, MessageKind, Subscription, Suppression
from thankyou_flows.signals import subscription_confirmed

from .people import ANN, ANN_KEY, dump, make_list, make_message, noon, sign_up

State = Subscription.State
Reason = Suppression.Reason

pytestmark = pytest.mark.django_db


class FormReader(HTMLParser):
    """What a browser without scripts sends when the main button is pressed."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.values: dict[str, list[str]] = {}
        self.inside = False
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        found = dict(attrs)
        if tag == "form":
            self.inside = found.get("id") == "ty-preferences"
        if self.inside and tag == "input" and found.get("name"):
            if found.get("type") in {"checkbox", "radio"} and "checked" not in found:
                return
            self.values.setdefault(str(found["name"]), []).append(found.get("value") or "on")

    def handle_endtag(self, tag: str) -> None:
        if tag == "form":
            self.inside = False


@pytest.fixture
def letters() -> MailingList:
    return make_list("letters", title="Letters from the shop", purpose="What is new, and recipes.")


@pytest.fixture
def news(letters: MailingList) -> MailingList:
    """A second list, that nobody is on yet."""
    return make_list("news", title="Shop news", purpose="When we open.", promise="Once a year.")


@pytest.fixture
def path(letters: MailingList, news: MailingList) -> str:
    """The link in a letter to Ann."""
    sign_up(letters)
    return preferences_url(make_message(mailing_list=letters, state=Message.State.SENT)).removeprefix(
        "https://shop.example"
    )


@pytest.fixture
def press(client: Client) -> Callable[..., Any]:
    """Return a function that opens the page, changes some fields, and presses "Save"."""

    def press(path: str, **changes: Any) -> Any:
        values = FormReader(client.get(path).content.decode()).values
        values.update({name: value if isinstance(value, list) else [value] for name, value in changes.items()})
        return client.post(path, {name: value for name, value in values.items() if value})

    return press


def is_on() -> dict[str, str]:
    return dict(Subscription.objects.filter(email_key=ANN_KEY).values_list("mailing_list__slug", "state"))


def suppressed() -> dict[str, str]:
    return dict(Suppression.objects.of(ANN_KEY).values_list("scope", "reason"))


def test_what_the_page_says(client: Client, path: str) -> None:
    """EM-5, TY-5: each list with purpose and promise, the address masked, and nothing about it kept anywhere."""
    response = client.get(path)
    html = response.content.decode()
    for words in ("Letters from the shop", "What is new, and recipes.", "Once a year.", "a***@example.com"):
        assert words in html
    assert ANN not in html
    assert "no-store" in response.headers["Cache-Control"]
    assert response.headers["X-Robots-Tag"] == "noindex, nofollow"
    values = FormReader(html).values
    assert (values["lists"], values["follow_ups"], values["frequency"], values["pause"]) == (
        ["letters"],
        ["on"],
        ["all"],
        ["none"],
    )


def test_saving_what_is_there_changes_nothing(path: str, press: Any) -> None:
    """A press on "Save" without any change is no wish, but an action of the person's own (EM-13)."""
    Contact.objects.update(last_action_at=noon())
    before = Contact.objects.values("frequency", "paused_until", "language").get()
    assert press(path).status_code == 302
    assert (is_on(), suppressed()) == ({"letters": "confirmed"}, {})
    assert Contact.objects.values("frequency", "paused_until", "language").get() == before
    assert Contact.objects.get().last_action_at > noon()
    assert not ConsentReceipt.objects.exists()


def test_everything_in_one_form(client: Client, path: str, press: Any) -> None:
    """Another list, no follow-ups, once a week, a pause of two weeks: one press, and the page shows it."""
    with time_machine.travel("2026-03-02T12:00:00Z", tick=False):
        response = press(path, lists=["news"], follow_ups=[], frequency="weekly", pause="two_weeks")
        assert response.headers["Location"] == f"{path}?done=saved"
        html = client.get(response.headers["Location"]).content.decode()
        contact = Contact.objects.get()
        assert (contact.frequency, contact.paused_until) == ("weekly", noon() + timedelta(days=14))
        assert "Saved." in html
        values = FormReader(html).values
        assert (values["lists"], values["frequency"], values["pause"]) == (["news"], ["weekly"], ["keep"])
        assert "follow_ups" not in values
    assert is_on() == {"letters": "left", "news": "confirmed"}
    assert suppressed() == {"list:letters": "left", "follow_ups": "objected"}


def test_a_ticked_list_is_consent(
    path: str, press: Any, news: MailingList, mailoutbox: Any, django_capture_on_commit_callbacks: Any
) -> None:
    """EM-1, EM-4: the link proves the address: a receipt with the words beside the box, one announcement, no mail."""
    heard: list[Subscription] = []

    def listen(subscription: Subscription, **_: Any) -> None:
        heard.append(subscription)

    subscription_confirmed.connect(listen)
    try:
        with django_capture_on_commit_callbacks(execute=True):
            press(path, lists=["letters", "news"])
    finally:
        subscription_confirmed.disconnect(listen)
    receipt = ConsentReceipt.objects.get()
    assert (receipt.kind, receipt.method, receipt.subscription.mailing_list) == ("confirmed", "link", news)
    assert receipt.wording == "Shop news: When we open. Once a year."
    assert receipt.path.endswith("/mail/preferences/<str:token>/")
    assert [row.mailing_list for row in heard] == [news]
    assert not mailoutbox
    assert not Message.objects.filter(composer="confirmation").exists()


def test_somebody_unproved_is_asked_by_mail(letters: MailingList, news: MailingList, press: Any) -> None:
    """EM-1: a link that no mail brought, and no confirmed list: the tick asks for a confirmation mail."""
    sign_up(letters, state=State.PENDING)
    response = press(preferences_path_for(ANN), lists=["news"])
    assert response.headers["Location"].endswith("?done=asked")
    assert is_on() == {"letters": "pending", "news": "pending"}
    assert Message.objects.get().composer == "confirmation"


def test_a_confirmed_person_from_the_account(letters: MailingList, news: MailingList, press: Any) -> None:
    """EM-1: whoever is confirmed on some list has proved the address."""
    sign_up(letters)
    assert press(preferences_path_for(ANN), lists=["letters", "news"]).headers["Location"].endswith("?done=saved")
    assert is_on() == {"letters": "confirmed", "news": "confirmed"}


def test_a_change_of_mind(path: str, press: Any, letters: MailingList) -> None:
    """EM-6: what the person has left, the person can have again; each time with a receipt."""
    press(path, lists=[], follow_ups=[])
    assert suppressed() == {"list:letters": "left", "follow_ups": "objected"}
    press(path, lists=["letters"], follow_ups=["on"])
    assert (suppressed(), is_on()) == ({}, {"letters": "confirmed"})
    assert list(ConsentReceipt.objects.values_list("kind", flat=True)) == ["left", "confirmed"]


def test_leaving_all(client: Client, path: str, press: Any) -> None:
    """EM-6: one press, whatever else; the page then says so, and offers a way back."""
    response = client.post(path, {"command": "leave_all", "frequency": "nonsense"})
    assert response.headers["Location"] == f"{path}?done=left"
    assert is_on() == {"letters": "left"}
    assert suppressed() == {"marketing": "left", "follow_ups": "objected", "list:letters": "left"}
    assert Message.objects.get().left_at is not None
    html = client.get(response.headers["Location"]).content.decode()
    assert "You get no more letters, tips and offers from us" in html
    assert "lists" not in FormReader(html).values
    press(path, lists=["letters"])
    assert suppressed() == {"follow_ups": "objected"}


@pytest.mark.parametrize(("pause", "span"), [("two_weeks", 14), ("one_month", 30), ("three_months", 91)])
def test_pauses(path: str, press: Any, pause: str, span: int) -> None:
    """EM-12: as long as said; kept when the page is saved again; ended when that is chosen."""
    with time_machine.travel("2026-03-02T12:00:00Z", tick=False) as clock:
        press(path, pause=pause)
        clock.shift(timedelta(days=1))
        press(path, frequency="monthly")
        assert Contact.objects.get().paused_until == noon() + timedelta(days=span)
        press(path, pause="none")
        assert Contact.objects.get().paused_until is None


def test_a_page_that_lay_open(client: Client, path: str, letters: MailingList) -> None:
    """Nothing lost: what was changed elsewhere since the page was opened is not undone by it."""
    values = FormReader(client.get(path).content.decode()).values
    leave(email_key=ANN_KEY)
    leave(email_key=ANN_KEY, mailing_list=letters)
    client.post(path, {**values, "frequency": "weekly"})
    assert suppressed() == {"list:letters": "left", "follow_ups": "objected"}
    assert Contact.objects.get().frequency == "weekly"


def test_two_tabs(client: Client, path: str, press: Any) -> None:
    """A pause and a rhythm that were chosen in another tab stay, when only a list is ticked in this one."""
    values = FormReader(client.get(path).content.decode()).values
    press(path, pause="one_month", frequency="monthly")
    client.post(path, {**values, "lists": ["letters", "news"]})
    contact = Contact.objects.get()
    assert contact.paused_until is not None
    assert contact.frequency == "monthly"
    assert is_on()["news"] == "confirmed"


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"lists": ["letters", "<script>"]}, "One of these letters does not exist any more"),
        ({"frequency": "hourly"}, "Please choose one of these"),
        ({"frequency": []}, "Please choose one of these"),
        ({"pause": "for ever"}, "Please choose one of these"),
        ({"pause": "\x00"}, "Please choose one of these"),
    ],
    ids=["list", "frequency", "nothing", "pause", "null"],
)
def test_bad_input(path: str, press: Any, changes: dict[str, Any], words: str) -> None:
    """Said beside the field, nothing saved, and nothing of what was filled in is lost."""
    before = dump()
    response = press(path, **{"lists": ["news"], "follow_ups": [], **changes})
    html = response.content.decode()
    assert response.status_code == 200
    assert words in html
    assert "Not saved yet" in html
    assert "<script>" not in html.partition("<article")[2]
    values = FormReader(html).values
    assert "follow_ups" not in values
    if "lists" not in changes:
        assert values["lists"] == ["news"]
    assert dump() == before


def test_a_long_or_strange_note_of_what_was_shown(path: str, press: Any) -> None:
    """The hidden field is only a help; a forged one does no harm."""
    assert press(path, shown="x" * 6000).status_code == 200
    assert press(path, shown="letters + nonsense <b>").status_code == 302
    assert is_on() == {"letters": "confirmed"}


def test_many_changes(path: str, press: Any) -> None:
    """Joining again and again is limited for each person; leaving never is."""
    for _n in range(30):
        press(path, lists=["letters", "news"])
        press(path, lists=["letters"])
    response = press(path, lists=["letters", "news"])
    assert "a lot of changes in a short time" in response.content.decode()
    press(path, lists=[])
    assert set(is_on().values()) == {"left"}


def test_other_sites_cannot_press_it(path: str) -> None:
    """As views/newsletter: a form of ours passes without a token, one of another site does not."""
    client = Client(enforce_csrf_checks=True)
    values = {"frequency": "monthly", "pause": "none"}
    assert client.post(path, values, headers={"Sec-Fetch-Site": "cross-site"}).status_code == 403
    assert client.post(path, {"command": "leave_all"}, headers={"Origin": "https://evil.example"}).status_code == 403
    assert suppressed() == {}
    assert client.post(path, values, headers={"Sec-Fetch-Site": "same-origin"}).status_code == 302


def test_nothing_is_kept(client: Client, letters: MailingList) -> None:
    """EM-6, EM-13: an unknown or erased person: the page says so, and lets the key be noted; no address appears."""
    path = reverse("thankyou_flows:preferences", args=[make_token(Holder(email_key=ANN_KEY, message_key="gone"))])
    html = client.get(path).content.decode()
    assert "We keep nothing about this address" in html
    assert FormReader(html).values == {}
    before = dump()
    assert client.post(path, {"lists": "letters", "frequency": "all", "pause": "none"}).status_code == 200
    assert dump() == before
    response = client.post(path, {"command": "leave_all"})
    assert suppressed() == {"marketing": "left", "follow_ups": "objected"}
    assert "Never write to me" not in client.get(response.headers["Location"]).content.decode()
    assert not Contact.objects.exists()


def test_an_address_that_does_not_work(client: Client, path: str) -> None:
    """EM-6: bounces are nobody's wish: the page says so, and its form does nothing."""
    suppress(email_key=ANN_KEY, scope=Suppression.MARKETING, reason=Reason.BOUNCED)
    assert "We do not write to this address" in client.get(path).content.decode()
    before = dump()
    assert client.post(path, {"lists": "news", "frequency": "all", "pause": "none"}).status_code == 200
    assert dump() == before


def test_links_that_are_not_ours(client: Client) -> None:
    """EM-5: one page for all of them, whatever is sent there."""
    path = reverse("thankyou_flows:preferences", args=["made-up"])
    answers = {client.get(path).content, client.post(path, {"command": "leave_all"}).content}
    assert len(answers) == 1
    assert client.get(path).status_code == 404
    assert not Suppression.objects.exists()


def test_closed_lists(client: Client, path: str, news: MailingList, letters: MailingList) -> None:
    """A list that takes nobody new is shown to those on it, who can leave it, and to nobody else."""
    MailingList.objects.update(is_open=False)
    html = client.get(path).content.decode()
    assert "Letters from the shop" in html
    assert "Shop news" not in html
    assert client.post(path, {"lists": "news", "frequency": "all", "pause": "none"}).status_code == 200
    assert is_on() == {"letters": "confirmed"}


@pytest.mark.parametrize("done", ["saved", "left", "asked", "<b>", "x" * 500])
def test_what_the_address_may_say(client: Client, path: str, done: str) -> None:
    """Only our own words are shown for it."""
    response = client.get(path, {"done": done})
    assert ("ty-done" in response.content.decode()) == (done in {"saved", "left", "asked"})


@pytest.mark.parametrize(
    ("email", "shown"),
    [
        ("ann@example.com", "a***@example.com"),
        ("a@example.com", "***@example.com"),
        ('"x@y"@example.com', '"***@example.com'),
        ("zoë@exämple.com", "z***@exämple.com"),
    ],
)
def test_masking(email: str, shown: str) -> None:
    """Enough to know one's own by, too little for anybody else."""
    assert masked(email) == shown


@pytest.mark.parametrize("count", [1, 20])
def test_the_number_of_queries(count: int, letters: MailingList, django_assert_num_queries: Any) -> None:
    """The same for one list and for twenty."""
    sign_up(letters)
    for number in range(count - 1):
        sign_up(make_list(f"list-{number}"))
    with django_assert_num_queries(4):
        known = read_preferences(holder=Holder(email_key=ANN_KEY))
    assert known is not None
    assert len(known.lists) == count


def test_the_verb_itself(letters: MailingList) -> None:
    """A frequency that does not exist, and a person of whom nothing is kept, are errors of the caller."""
    holder = Holder(email_key=ANN_KEY)
    with pytest.raises(LookupError):
        save_preferences(holder=holder, wish=Wish(follow_ups=False))
    sign_up(letters)
    with pytest.raises(ValueError, match="hourly"):
        save_preferences(holder=holder, wish=Wish(frequency="hourly"))
    save_preferences(holder=holder, wish=Wish(lists={"unknown": True}, pause=timedelta(days=1)))
    assert Contact.objects.get().paused_until > timezone.now()


def test_a_follow_ups_link_notes_the_message(letters: MailingList, press: Any) -> None:
    """Numbers per follow-up: which message led to the objection."""
    sign_up(letters)
    message = make_message(MessageKind.FOLLOW_UP, state=Message.State.SENT)
    press(preferences_url(message).removeprefix("https://shop.example"), follow_ups=[])
    message.refresh_from_db()
    assert message.left_at is not None
    assert Suppression.objects.get().message_key == message.key
