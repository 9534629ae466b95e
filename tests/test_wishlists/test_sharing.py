"""Sharing a wish list by a link: what it shows, to whom, and what it never shows (SL-4, SL-5)."""

from __future__ import annotations

from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.urls import reverse

from wishlists.catalog import ProductCard
from wishlists.lines import Line
from wishlists.lists import create_list, put_all, put_back, put_on_list, take_off
from wishlists.models import ListItem, ProductList
from wishlists.sharing import count_hidden, find_shared, renew, share, show_all, unshare
from wishlists.signals import list_shared, list_unshared

from .catalogs import PRODUCTS, MemoryCatalog, euro

pytestmark = pytest.mark.django_db

#: All that the owner's account knows of its owner; it must never be on a shared page.
MARKERS = ("Marker-First", "Marker-Last", "marker-user", "marker@example.com", "Marker other list")


@pytest.fixture
def owner(django_user_model: type[User]) -> User:
    """Somebody whose names can be found."""
    return django_user_model.objects.create_user(
        "marker-user", "marker@example.com", "secret", first_name="Marker-First", last_name="Marker-Last"
    )


@pytest.fixture
def wishes(owner: User) -> ProductList:
    """A list with two products, beside another one."""
    put_on_list(list=create_list(user=owner, name="Marker other list"), product_ref="cup", card=PRODUCTS["cup"])
    row = create_list(user=owner, name="Birthday")
    put_on_list(list=row, product_ref="tea", quantity=2, card=PRODUCTS["tea"], note="the green one")
    put_on_list(list=row, product_ref="pot", card=PRODUCTS["pot"], priority=1)
    return row


def url(row: ProductList, name: str = "shared") -> str:
    return reverse(f"thankyou_wishlists:{name}", args=[row.share_key])


def post(client: Client, row: ProductList, **data: Any) -> Any:
    return client.post(reverse("thankyou_wishlists:list_share", args=[row.key]), data)


def shown(client: Client, row: ProductList) -> str:
    response = client.get(url(row))
    assert response.status_code == 200
    return str(response.content.decode())


def test_a_list_is_private_until_it_is_shared(wishes: ProductList, client: Client) -> None:
    """SL-4: its own key is no link, and a link is another key of 128 bits."""
    assert client.get(reverse("thankyou_wishlists:shared", args=[wishes.key])).status_code == 404
    row = share(list=wishes)
    assert row.share_key is not None
    assert len(row.share_key) == 22
    assert row.share_key != row.key
    assert client.get(reverse("thankyou_wishlists:shared", args=[row.key])).status_code == 404
    assert find_shared(row.share_key) == row


def test_a_shared_page_says_nothing_of_its_owner(wishes: ProductList, client: Client) -> None:
    """SL-4: no name, no address, none of the other lists, not even their keys; the owner's key neither."""
    page = shown(client, share(list=wishes))
    other = ProductList.objects.get(name="Marker other list")
    for marker in (*MARKERS, other.key, wishes.key, "/lists/"):
        assert marker not in page
    assert "Birthday" in page
    assert "the green one" in page
    assert page.index("Kyusu") < page.index("Sencha")  # the most wanted first


def test_the_name_that_was_chosen_is_shown(wishes: ProductList, client: Client) -> None:
    """SL-4: and nothing but that, as text."""
    page = shown(client, share(list=wishes, shown_name="Mum & \u202e<i>Dad</i>\0"))
    assert "Mum &amp; &lt;i&gt;Dad&lt;/i&gt;" in page
    assert not any(marker in page for marker in MARKERS)
    with pytest.raises(ValueError, match="80"):
        share(list=wishes, shown_name="x" * 81)


def test_the_page_of_a_link_is_nobodys_to_keep(wishes: ProductList, client: Client) -> None:
    """SL-4: no search engine, no cache, and the key in its address goes to no other site."""
    response = client.get(url(share(list=wishes)))
    assert response.headers["X-Robots-Tag"] == "noindex"
    assert b'<meta name="robots" content="noindex">' in response.content
    assert "no-store" in response.headers["Cache-Control"]
    assert response.headers["Referrer-Policy"] == "same-origin"
    assert not response.cookies


def test_revoked_unknown_and_malformed_links_look_the_same(wishes: ProductList, client: Client) -> None:
    """SL-4: byte for byte, headers too, so that nobody learns whether there was a list."""
    row = share(list=wishes)
    link = url(row)
    unshare(list=row)
    paths = [link, "/shared/" + "x" * 22 + "/", "/shared/x/", "/shared/%00/", "/shared/ä/", f"/shared/{wishes.key}/"]
    answers = [client.get(path) for path in paths]
    assert {answer.status_code for answer in answers} == {404}
    assert len({answer.content for answer in answers}) == 1
    assert len({str(sorted(answer.headers.items())) for answer in answers}) == 1
    assert b"No list here" in answers[0].content
    posts = [client.post(f"{path}gift/", {"action": "mark", "product_ref": "tea", "quantity": 1}) for path in paths]
    assert {answer.status_code for answer in posts} == {404}
    assert {answer.content for answer in posts} == {answers[0].content}


def test_a_new_link_makes_the_old_one_worthless(wishes: ProductList, client: Client) -> None:
    """SL-4: renewing keeps what is shown; revoking and sharing again gives another key too."""
    first = share(list=wishes, shown_name="Mum")
    put_on_list(list=wishes, product_ref="free", card=PRODUCTS["free"])
    second = renew(list=wishes)
    assert client.get(url(first)).status_code == 404
    page = shown(client, second)
    assert "Mum" in page
    assert "Sample" not in page
    unshare(list=wishes)
    third = share(list=wishes)
    assert len({first.share_key, second.share_key, third.share_key}) == 3
    assert renew(list=unshare(list=wishes)).share_key is None


def test_later_additions_are_shown_only_if_chosen(wishes: ProductList, client: Client) -> None:
    """SL-4: and what others have seen does not vanish when the choice is taken back."""
    row = share(list=wishes)
    put_on_list(list=wishes, product_ref="free", card=PRODUCTS["free"])
    assert "Sample" not in shown(client, row)
    assert "Sample" in shown(client, share(list=wishes, shows_additions=True))
    share(list=wishes, shows_additions=False)
    put_on_list(list=wishes, product_ref="dear", card=PRODUCTS["dear"])
    page = shown(client, row)
    assert "Sample" in page
    assert "On request" not in page
    show_all(list=wishes)
    assert "On request" in shown(client, row)


def test_sharing_again_changes_no_link(wishes: ProductList) -> None:
    """Safe to repeat: the key and the moment stay."""
    first = share(list=wishes)
    again = share(list=wishes, shown_name="Mum", hides_gifts=False)
    assert (first.share_key, first.shared_at) == (again.share_key, again.shared_at)
    assert (again.shown_name, again.hides_gifts) == ("Mum", False)


def test_a_shared_page_shows_todays_public_prices(wishes: ProductList, client: Client) -> None:
    """SL-4, CK-4: those of the catalogue, not those of when the owner saved it."""
    row = share(list=wishes)
    assert "€12.50" in shown(client, row)
    MemoryCatalog.products["tea"] = ProductCard(ref="tea", title="Sencha", url="", price=euro("9.75"))
    page = shown(client, row)
    assert "€9.75" in page
    assert "12.50" not in page


def test_a_product_that_left_the_shop_keeps_its_title(wishes: ProductList, client: Client) -> None:
    """SL-6: the line stays, marked; no error."""
    row = share(list=wishes)
    del MemoryCatalog.products["tea"]
    page = shown(client, row)
    assert "Sencha" in page
    assert "No longer sold" in page


def test_a_link_never_logs_in(wishes: ProductList, client: Client) -> None:
    """SL-5: whoever follows it in a clean browser is nobody, has no session, and reaches nothing else."""
    row = share(list=wishes)
    client.get(url(row))
    assert not client.cookies
    for name in ("list", "list_items", "list_share", "list_edit", "list_delete"):
        path = reverse(f"thankyou_wishlists:{name}", args=[row.share_key])
        response = client.post(path, {"action": "remove", "all": 1})
        assert response.status_code in (302, 405)
    assert wishes.items.count() == 2


def test_the_link_is_read_only(wishes: ProductList, member: Client) -> None:
    """SL-4: somebody else's account with the link changes nothing of the list either."""
    row = share(list=wishes)
    for action in ("add", "change", "remove", "undo", "", "free"):
        data = {"action": action, "product_ref": "tea", "quantity": 5, "note": "mine"}
        assert member.post(url(row, "shared_gift"), data).status_code == 404
    assert [*wishes.items.values_list("quantity", "note")] == [(2, "the green one"), (1, "")]


@pytest.mark.parametrize("count", [0, 1, 20, 100])
def test_queries_of_a_shared_page(
    owner: User, client: Client, member: Client, count: int, django_assert_num_queries: Any
) -> None:
    """OP-7: two for a visitor (the list with its items, the marks); session and account for who is logged in."""
    row = share(list=create_list(user=owner, name="Long"))
    put_all(list=row, lines=[Line(f"sku-{n}") for n in range(count)], is_limited=False)
    row = show_all(list=row)
    MemoryCatalog.calls.clear()
    with django_assert_num_queries(2 if count else 3):
        client.get(url(row))
    with django_assert_num_queries(4 if count else 5):
        member.get(url(row))
    assert len(MemoryCatalog.calls) == (2 if count else 0)


def test_signals_are_sent_once_each_way(wishes: ProductList, django_capture_on_commit_callbacks: Any) -> None:
    """Up, after commit; a receiver that raises disturbs nobody."""
    heard = []

    def hear(signal: Any, list: ProductList, **more: Any) -> None:
        heard.append((signal, list.is_shared))
        raise RuntimeError

    for signal in (list_shared, list_unshared):
        signal.connect(hear)
    try:
        with django_capture_on_commit_callbacks(execute=True):
            share(list=wishes)
            share(list=wishes, shown_name="Mum")
            renew(list=wishes)
            unshare(list=wishes)
            unshare(list=wishes)
    finally:
        for signal in (list_shared, list_unshared):
            signal.disconnect(hear)
    assert heard == [(list_shared, True), (list_unshared, False)]


# The owner's page -----------------------------------------------------------------------------------


@pytest.fixture
def browser(owner: User) -> Client:
    """The owner's browser."""
    client = Client()
    client.force_login(owner)
    return client


def test_the_owner_shares_changes_and_revokes(browser: Client, wishes: ProductList) -> None:
    """SL-4: what is not chosen keeps more to itself: no name, no additions, gifts a surprise."""
    page = reverse("thankyou_wishlists:list_share", args=[wishes.key])
    assert b"Make the link" in browser.get(page).content
    response = post(browser, wishes, action="share")
    assert (response.status_code, response.headers["Location"]) == (303, page)
    wishes.refresh_from_db()
    assert wishes.share_key
    assert (wishes.shown_name, wishes.shares_additions, wishes.hides_gifts) == ("", False, True)
    text = browser.get(page).content.decode()
    assert f'value="http://testserver{url(wishes)}"' in text
    assert "Whoever has this link can see the list now." in text
    post(browser, wishes, action="update", shown_name=" Mum ", shares_additions="on", shows_gifts="on")
    wishes.refresh_from_db()
    assert (wishes.shown_name, wishes.shares_additions, wishes.hides_gifts) == ("Mum", True, False)
    old = wishes.share_key
    post(browser, wishes, action="renew")
    wishes.refresh_from_db()
    assert wishes.share_key not in (None, old)
    post(browser, wishes, action="revoke")
    wishes.refresh_from_db()
    assert wishes.share_key is None


def test_a_name_too_long_is_said_beside_the_field(browser: Client, wishes: ProductList) -> None:
    response = post(browser, wishes, action="share", shown_name="x" * 81)
    assert response.status_code == 422
    assert "x" * 81 in response.content.decode()
    assert "80 characters" in response.content.decode()
    wishes.refresh_from_db()
    assert not wishes.is_shared


def test_the_page_tells_what_the_link_does_not_show(browser: Client, wishes: ProductList) -> None:
    share(list=wishes)
    put_on_list(list=wishes, product_ref="free")
    page = reverse("thankyou_wishlists:list_share", args=[wishes.key])
    assert b"You added 1 product after making the link." in browser.get(page).content
    post(browser, wishes, action="show_all")
    assert b"You added" not in browser.get(page).content


@pytest.mark.parametrize("action", ["share", "update", "show_all", "renew", "revoke", "free", "", "\0"])
def test_nobody_else_shares_a_list(member: Client, browser: Client, wishes: ProductList, action: str) -> None:
    """SL-3: somebody else's list and none at all are the same 404; so is an unknown action on one's own."""
    before = ProductList.objects.filter(pk=wishes.pk).values().get()
    assert post(member, wishes, action=action).status_code == 404
    assert member.post("/lists/" + "x" * 22 + "/share/", {"action": action}).status_code == 404
    assert ProductList.objects.filter(pk=wishes.pk).values().get() == before
    if action in ("", "\0"):
        assert post(browser, wishes, action=action).status_code == 404


def test_json_gives_the_link(browser: Client, wishes: ProductList) -> None:
    path = reverse("thankyou_wishlists:list_share", args=[wishes.key])
    answer = browser.post(path, {"action": "share"}, headers={"accept": "application/json"}).json()
    wishes.refresh_from_db()
    assert answer["share_url"] == f"http://testserver{url(wishes)}"
    assert browser.post(path, {"action": "revoke"}, headers={"accept": "application/json"}).json()["share_url"] is None
    assert ListItem.objects.filter(list=wishes).count() == 2


def test_what_was_off_the_list_when_it_was_shared_comes_back_unseen(wishes: ProductList, client: Client) -> None:
    """SL-4: taken off, shared without it, put back: that is a later addition, whatever date it had before."""
    take_off(list=wishes, keys=[("pot", "")])
    row = share(list=wishes)
    assert put_back(list=row) == 1
    assert "Kyusu" not in shown(client, row)
    assert count_hidden(row) == 1
    show_all(list=row)
    assert "Kyusu" in shown(client, row)
    # The same when the owner shows everything, or ends the showing of additions, while something is off the list.
    take_off(list=row, keys=[("pot", "")])
    show_all(list=row)
    put_back(list=row)
    assert "Kyusu" not in shown(client, row)
    share(list=row, shows_additions=True)
    take_off(list=row, keys=[("pot", "")])
    share(list=row)
    put_back(list=row)
    assert "Kyusu" not in shown(client, row)


def test_what_was_taken_off_a_shared_list_comes_back_as_it_was(wishes: ProductList, client: Client) -> None:
    """SL-4: undoing a click changes nothing of what the link shows."""
    row = share(list=wishes)
    added_at = row.items.get(product_ref="pot").added_at
    take_off(list=row, keys=[("pot", "")])
    put_back(list=row)
    assert row.items.get(product_ref="pot").added_at == added_at
    assert "Kyusu" in shown(client, row)
