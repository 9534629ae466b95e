"""The links in mails: whose they are, what they hold, and that nobody can make one up."""

from __future__ import annotations

import string
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from wagtail.models import Site

from thankyou_flows.mail.links import (
    Holder,
    base_url,
    make_token,
    preferences_path_for,
    preferences_url,
    read_token,
    unsubscribe_headers,
    unsubscribe_url,
)
from thankyou_flows.models import Message, MessageKind

from .people import ANN, ANN_KEY, make_list, make_message

WORD = string.ascii_letters + string.digits + "-_"


@given(
    person=st.binary(min_size=32, max_size=32),
    message_key=st.text(WORD, max_size=22),
    list_slug=st.text(WORD, max_size=50),
    both=st.booleans(),
)
def test_what_goes_in_comes_out(person: bytes, message_key: str, list_slug: str, both: bool) -> None:
    """EM-5: the link carries all identity, in characters that no mail program changes, and in one line of a mail."""
    holder = Holder(email_key=f"c:{person.hex()}", message_key=message_key, list_slug=list_slug, and_follow_ups=both)
    token = make_token(holder)
    assert read_token(token) == holder
    assert set(token) <= set(WORD + ".")
    assert len(token) < 170


@given(where=st.integers(0, 400), what=st.sampled_from(WORD + "."))
def test_a_changed_character_makes_it_nobodys(where: int, what: str) -> None:
    """EM-5: nobody makes up a link, for whomever."""
    token = make_token(Holder(email_key=ANN_KEY, message_key="m" * 22, list_slug="letters"))
    where %= len(token)
    changed = token[:where] + what + token[where + 1 :]
    found = read_token(changed)
    # The last character of a base64 text has bits that say nothing.
    assert changed == token or found is None or where == len(token) - 1


@pytest.mark.parametrize(
    "token", ["", ".", "..", "a" * 43, "x" * 100_000, "ä" * 50, "a.b.c.d", "\x00"], ids=lambda token: repr(token[:8])
)
def test_what_is_no_link(token: str) -> None:
    """EM-5: whatever somebody types."""
    assert read_token(token) is None


@pytest.mark.parametrize(
    "changes",
    [{"email_key": ""}, {"email_key": "u:7"}, {"list_slug": "a b"}, {"message_key": "m" * 23}],
    ids=["nobody", "account", "no_slug", "long_key"],
)
def test_nobody_has_no_link(changes: dict[str, str]) -> None:
    """A link that could not be read back is not made."""
    with pytest.raises(ValueError, match="customer key"):
        make_token(Holder(**{"email_key": ANN_KEY, **changes}))


def test_a_new_secret_keeps_old_links(settings: Any) -> None:
    """EM-5: old mails still unsubscribe when the shop changes its secret the Django way."""
    token = make_token(Holder(email_key=ANN_KEY))
    old, settings.SECRET_KEY = settings.SECRET_KEY, "another-secret-0123456789-0123456789-0123456789"
    assert read_token(token) is None
    settings.SECRET_KEY_FALLBACKS = [old]
    assert read_token(token) == Holder(email_key=ANN_KEY)


@pytest.mark.django_db
def test_where_links_begin(settings: Any) -> None:
    """The setting, else the default site, else an error that says what to do."""
    assert base_url() == "https://shop.example"
    settings.THANKYOU_FLOWS = {"BASE_URL": "https://tea.example/ "}
    assert base_url() == "https://tea.example"
    settings.THANKYOU_FLOWS = {}
    Site.objects.update(hostname="site.example", port=443)
    Site.clear_site_root_paths_cache()
    assert base_url() == "https://site.example"
    Site.objects.all().delete()
    with pytest.raises(ValueError, match="BASE_URL"):
        base_url()


@pytest.mark.django_db
def test_headers_of_marketing_mail(settings: Any) -> None:
    """EM-5: both headers, the https way first; a mailto if the shop reads one."""
    message = make_message(mailing_list=make_list())
    url = unsubscribe_url(message)
    assert url.startswith("https://shop.example/")
    assert unsubscribe_headers(message) == {
        "List-Unsubscribe": f"<{url}>",
        "List-Unsubscribe-Post": "List-Unsubscribe=One-Click",
    }
    settings.THANKYOU_FLOWS = {**settings.THANKYOU_FLOWS, "UNSUBSCRIBE_MAILTO": " leave@shop.example\r\nBcc: x@y.z"}
    header = unsubscribe_headers(message)["List-Unsubscribe"]
    assert header == f"<{url}>, <mailto:leave@shop.exampleBcc:x@y.z?subject=unsubscribe>"


@pytest.mark.django_db
def test_transactional_mail_has_none() -> None:
    """EM-5: nobody can leave a receipt, and no dummy link stands in it."""
    assert unsubscribe_headers(make_message(MessageKind.TRANSACTIONAL)) == {}


@pytest.mark.django_db
def test_what_a_link_leaves() -> None:
    """EM-5: a newsletter's its list; a follow-up's the follow-ups, whichever list carried it."""

    def holder_in(message: Message) -> Holder | None:
        return read_token(preferences_url(message).rstrip("/").rpartition("/")[2])

    letters = make_list()
    newsletter = make_message(mailing_list=letters)
    follow_up = make_message(MessageKind.FOLLOW_UP, mailing_list=letters)
    assert holder_in(newsletter) == Holder(email_key=ANN_KEY, message_key=newsletter.key, list_slug="letters")
    assert holder_in(follow_up) == Holder(email_key=ANN_KEY, message_key=follow_up.key)
    path = preferences_path_for(ANN)
    assert read_token(path.rstrip("/").rpartition("/")[2]) == Holder(email_key=ANN_KEY)
