"""Lists: how they come to be, what their block shows, and what the owner can do with them."""

from __future__ import annotations

from typing import Any

import pytest
from django.core.exceptions import ValidationError
from django.test import Client
from django.urls import reverse
from django.utils import translation

from tests.test_newsletter.test_receipts import signed_in
from thankyou_flows.blocks import NewsletterBlock
from thankyou_flows.blocks.newsletter import list_choices
from thankyou_flows.flow import Flow
from thankyou_flows.models import MailingList, Subscription
from thankyou_flows.newsletter import ListClosed, checkout_wording, find_list, is_subscribed, subscribe

pytestmark = pytest.mark.django_db


def block_with(**changes: Any) -> tuple[NewsletterBlock, Any]:
    block = NewsletterBlock()
    return block, block.to_python({"heading": "Our letters", "button": "Go", "list_slug": "newsletter", **changes})


def shown(**changes: Any) -> str:
    block, value = block_with(**changes)
    return str(block.render(value, {"flow": Flow(), "block_id": "b1"}))


def test_the_default_list_comes_with_its_first_sign_up(ask: Any) -> None:
    """Looking makes no row; the list speaks the shop's language, whoever comes first, and says what it said before."""
    with translation.override("de"):
        before = find_list("newsletter")
        assert before is not None
        assert not MailingList.objects.exists()
        ask()
    made = MailingList.objects.get()
    assert (made.slug, made.title, made.promise) == ("newsletter", "Letters from the shop", "At most twice a month.")
    assert (made.title, made.purpose, made.promise) == (before.title, before.purpose, before.promise)
    assert made.is_open


def test_a_closed_list_takes_nobody(recipes: MailingList, ask: Any) -> None:
    """Whatever the address: the answer says nothing about it (EM-2)."""
    MailingList.objects.update(is_open=False)
    with pytest.raises(ListClosed):
        subscribe(email="ann@example.com", wording="w", list_slug="recipes", base_url="https://shop.example")
    assert not Subscription.objects.exists()
    assert find_list("recipes") is None
    assert checkout_wording("recipes") == ""


def test_the_block_says_what_the_list_says(newsletter: MailingList) -> None:
    """EM-4: purpose and promise stand there, from the list if the editor wrote nothing; and the list's name."""
    MailingList.objects.update(incentive=None)
    block, value = block_with()
    assert block.get_wording(value).splitlines() == [
        "Our letters",
        "What is new.",
        "Twice a month.",
        "By pressing “Go” you agree to get “Letters” by e-mail. First you get a link to confirm it.",
    ]
    block, value = block_with(text="Tea, mostly.", promise="Seldom.")
    assert block.get_wording(value).splitlines()[1:] == [
        "Tea, mostly.",
        "Seldom.",
        "By pressing “Go” you agree to get “Letters” by e-mail. First you get a link to confirm it. What is new. "
        "Twice a month.",
    ]
    html = block.render(value, {"flow": Flow(), "block_id": "b1"})
    for line in block.get_wording(value).splitlines():
        assert line in html


@pytest.mark.parametrize("slug", ["recipes", "gone"])
def test_a_list_that_is_closed_or_gone(recipes: MailingList, slug: str) -> None:
    """Visitors see nothing; the editor's preview says what is wrong; the page stays valid."""
    MailingList.objects.update(is_open=False)
    assert shown(list_slug=slug) == ""
    block, value = block_with(list_slug=slug)
    preview = block.render(value, {"flow": Flow(is_preview=True), "block_id": "b1"})
    assert "Visitors do not see this block" in preview
    assert "<form" not in preview
    assert block.clean(value)["list_slug"] == slug


def test_the_editor_chooses_a_list(recipes: MailingList) -> None:
    """A list, not a word; closed ones say so; the default one can be chosen before anybody has signed up."""
    MailingList.objects.create(slug="old", title="Old", is_open=False)
    assert sorted(list_choices()) == [
        ("newsletter", "Letters from the shop"),
        ("old", "Old (closed)"),
        ("recipes", "Recipes"),
    ]
    block, value = block_with(list_slug="two words")
    with pytest.raises(ValidationError):
        block.clean(value)


@pytest.mark.parametrize("count", [1, 20])
def test_a_block_costs_one_query(newsletter: MailingList, django_assert_num_queries: Any, count: int) -> None:
    """OP-7: the list with its campaign, once for each block."""
    pairs = [block_with() for _n in range(count)]
    with django_assert_num_queries(count):
        for block, value in pairs:
            assert block.render(value, {"flow": Flow(), "block_id": "b1"})


def test_who_is_subscribed(ask: Any) -> None:
    ask()
    assert not is_subscribed(email="ann@example.com")
    Subscription.objects.update(state="confirmed")
    assert is_subscribed(email="ANN@example.com ")
    assert not is_subscribed(email="ann@example.com", list_slug="recipes")


# The admin ----------------------------------------------------------------------------------------

DATA = {"title": "Soups", "slug": "soups", "purpose": "All about soup.", "promise": "Weekly.", "is_open": "on"}


def url(name: str, *args: Any) -> str:
    return reverse(f"thankyou_flows_mailing_list:{name}", args=args)


def test_the_owner_makes_a_list() -> None:
    """CM-4: a form in words, and the list of lists with how many are on it."""
    owner = signed_in("add_mailinglist", "change_mailinglist", "view_mailinglist")
    assert "Example: Letters from the shop" in owner.get(url("add")).content.decode()
    assert owner.post(url("add"), DATA).status_code == 302
    made = MailingList.objects.get()
    assert (made.slug, made.purpose, made.incentive) == ("soups", "All about soup.", None)
    for n, state in enumerate(["confirmed", "confirmed", "pending", "left"]):
        Subscription.objects.create(mailing_list=made, email=f"{n}@example.com", email_key=f"c:{n}", state=state)
    html = owner.get(url("index")).content.decode()
    assert "Soups" in html
    assert "Weekly." in html


def test_the_short_name_stays(recipes: MailingList) -> None:
    """EM-6: who left is remembered by it."""
    owner = signed_in("change_mailinglist")
    assert owner.post(url("edit", recipes.pk), DATA).status_code == 302
    recipes.refresh_from_db()
    assert (recipes.slug, recipes.title) == ("recipes", "Soups")


def test_a_list_with_people_stays(recipes: MailingList) -> None:
    """EM-4: what they agreed to has to be kept, also of those who left; an empty one can go."""
    owner = signed_in("delete_mailinglist", "view_mailinglist")
    person = Subscription.objects.create(mailing_list=recipes, email_key="c:1", state="left")
    for method in (owner.get, owner.post):
        response = method(url("delete", recipes.pk), follow=True)
        assert "cannot be deleted" in response.content.decode()
    assert MailingList.objects.exists()
    person.delete()
    owner.post(url("delete", recipes.pk))
    assert not MailingList.objects.exists()


def test_an_editor_of_pages_does_not_see_lists(recipes: MailingList) -> None:
    """CM-4: nor the addresses on them."""
    editor = signed_in()
    pages = [url("index"), url("add"), url("edit", recipes.pk), url("delete", recipes.pk)]
    for page in (*pages, reverse("thankyou_flows_subscription:index")):
        assert editor.get(page)["Location"] == reverse("wagtailadmin_home")
    assert Client().get(url("index")).status_code == 302


@pytest.mark.parametrize("count", [1, 20])
def test_the_screens_cost_the_same(ask: Any, django_assert_max_num_queries: Any, count: int) -> None:
    """OP-7: one list or twenty."""
    for n in range(count):
        mailing_list = MailingList.objects.create(slug=f"l{n}", title=f"L{n}")
        Subscription.objects.create(mailing_list=mailing_list, email_key="c:1")
    owner = signed_in("view_mailinglist", "change_mailinglist", "view_subscription")
    for page in (url("index"), reverse("thankyou_flows_subscription:index")):
        owner.get(page)
        with django_assert_max_num_queries(14):
            assert owner.get(page).status_code == 200
