""" "I am getting this": never more than wanted, taken back by whoever said it, and a surprise for the owner."""

from __future__ import annotations

import threading
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.core import signing
from django.db import connection
from django.http import HttpRequest
from django.test import Client
from django.urls import reverse
from hypothesis import given, settings
from hypothesis import strategies as st

from wishlists import gifts, givers
from wishlists.exceptions import AlreadyTaken
from wishlists.gifts import free_all, mark, taken, unmark
from wishlists.givers import new_giver, read_giver
from wishlists.lists import change_item, create_list, put_on_list, take_off
from wishlists.models import GiftMark, ListItem, ProductList
from wishlists.sharing import share, unshare

from .catalogs import PRODUCTS, MemoryCatalog

pytestmark = pytest.mark.django_db

ANN, BEN = "a" * 22, "b" * 22


def make_wishes(user: User, *, quantity: int = 2, **shared: Any) -> ProductList:
    row = create_list(user=user, name="Birthday")
    put_on_list(list=row, product_ref="tea", quantity=quantity, card=PRODUCTS["tea"])
    put_on_list(list=row, product_ref="pot", options="red", card=PRODUCTS["pot"])
    return share(list=row, **shared)


@pytest.fixture
def wishes(customer: User) -> ProductList:
    """A shared list of ``customer``: two teas, one pot."""
    return make_wishes(customer)


def say(client: Client, row: ProductList, action: str = "mark", **data: Any) -> Any:
    path = reverse("thankyou_wishlists:shared_gift", args=[row.share_key])
    return client.post(path, {"action": action, "product_ref": "tea", "quantity": 1, **data})


def look(client: Client, row: ProductList) -> str:
    response = client.get(reverse("thankyou_wishlists:shared", args=[row.share_key]))
    assert response.status_code == 200
    return str(response.content.decode())


def test_givers_together_never_get_more_than_is_wanted(wishes: ProductList) -> None:
    """The quantity is the item's; saying it again is saying it once; a smaller number gives some back."""
    mark(list=wishes, giver=ANN, product_ref="tea", quantity=1)
    mark(list=wishes, giver=ANN, product_ref="tea", quantity=1)
    mark(list=wishes, giver=BEN, product_ref="tea", quantity=1)
    with pytest.raises(AlreadyTaken) as error:
        mark(list=wishes, giver="c" * 22, product_ref="tea")
    assert error.value.left == 0
    with pytest.raises(AlreadyTaken) as error:
        mark(list=wishes, giver=ANN, product_ref="tea", quantity=2)
    assert error.value.left == 1
    mark(list=wishes, giver=BEN, product_ref="tea", quantity=0)
    mark(list=wishes, giver=ANN, product_ref="tea", quantity=2)
    assert taken(wishes).all == {("tea", ""): 2}
    with pytest.raises(ValueError, match="0 or more"):
        mark(list=wishes, giver=ANN, product_ref="tea", quantity=-1)


@given(
    steps=st.lists(
        st.tuples(st.sampled_from("abcd"), st.integers(0, 4), st.sampled_from(["mark", "want"])), max_size=12
    )
)
@settings(max_examples=40)
def test_any_order_of_marks_keeps_the_promise(steps: list[tuple[str, int, str]]) -> None:
    """What a giver was told stays true: only a mark that fits is made, and nobody else's changes."""
    user, _ = User.objects.get_or_create(username="owner")
    ProductList.objects.all().delete()
    row = make_wishes(user, quantity=3)
    wanted, model = 3, dict.fromkeys("abcd", 0)
    for name, number, step in steps:
        if step == "want":
            wanted = number + 1
            change_item(list=row, product_ref="tea", quantity=wanted)
            continue
        fits = number <= max(wanted - sum(each for other, each in model.items() if other != name), 0)
        try:
            mark(list=row, giver=name * 22, product_ref="tea", quantity=number)
        except AlreadyTaken:
            assert not fits
        else:
            assert fits or number == 0
            model[name] = number
        found = {name: taken(row, giver=name * 22).mine.get(("tea", "")) for name in model}
        assert {name: each.quantity if each else 0 for name, each in found.items()} == model
    assert taken(row).all.get(("tea", ""), 0) == sum(model.values())


def test_only_what_the_link_shows_can_be_marked(wishes: ProductList) -> None:
    """SL-4: later additions, other products and revoked lists cannot; the options count."""
    put_on_list(list=wishes, product_ref="free")
    for item in ({"product_ref": "free"}, {"product_ref": "never"}, {"product_ref": "pot"}):
        with pytest.raises(ListItem.DoesNotExist):
            mark(list=wishes, giver=ANN, **item)
    mark(list=wishes, giver=ANN, product_ref="pot", options="red")
    unshare(list=wishes)
    for quantity in (0, 1):
        with pytest.raises(ProductList.DoesNotExist):
            mark(list=wishes, giver=ANN, product_ref="tea", quantity=quantity)


def test_a_mark_outlives_the_item(wishes: ProductList, client: Client) -> None:
    """The owner takes it off the list: the giver still sees it, with its title, and can take it back."""
    say(client, wishes)
    take_off(list=wishes, keys=[("tea", "")])
    page = look(client, wishes)
    assert "no longer on the list" in page
    assert "1 × Sencha" in page
    assert say(client, wishes, "unmark").status_code == 303
    assert "Sencha" not in look(client, wishes).split("</h1>")[1].split("ty-status")[1].split("</div>", 1)[1]
    assert not GiftMark.objects.exists()


def test_fewer_wanted_than_taken_is_nothing_left(wishes: ProductList) -> None:
    mark(list=wishes, giver=ANN, product_ref="tea", quantity=2)
    change_item(list=wishes, product_ref="tea", quantity=1)
    assert taken(wishes).left(wishes.items.get(product_ref="tea")) == 0
    with pytest.raises(AlreadyTaken):
        mark(list=wishes, giver=BEN, product_ref="tea")
    mark(list=wishes, giver=ANN, product_ref="tea", quantity=1)


def test_marks_of_one_person_cannot_be_told_to_be(wishes: ProductList, django_user_model: type[User]) -> None:
    """What stands in the database links no two marks, and no mark with a browser: 128 bits made from the giver's."""
    other = make_wishes(django_user_model.objects.create_user("other"))
    for row, key in ((wishes, ("tea", "")), (wishes, ("pot", "red")), (other, ("tea", ""))):
        mark(list=row, giver=ANN, product_ref=key[0], options=key[1])
    keys = set(GiftMark.objects.values_list("key", flat=True))
    assert len(keys) == 3
    assert ANN not in keys
    assert {len(key) for key in keys} == {22}


# Over the page --------------------------------------------------------------------------------------


def test_a_giver_marks_and_takes_back(wishes: ProductList, client: Client) -> None:
    """Others see that it is taken and not by whom; the giver's browser knows, until it is closed (CK-6)."""
    say(client, wishes, quantity=2)
    morsel = client.cookies["cart_gifts"]
    assert (morsel["max-age"], morsel["expires"], morsel["httponly"], morsel["samesite"]) == ("", "", True, "Lax")
    page = look(client, wishes)
    assert "You are getting this: 2" in page
    assert "You are getting 2 × Sencha." in page
    other = look(Client(), wishes)
    assert "Somebody is getting this." in other
    assert "You are getting" not in other
    say(client, wishes, "unmark")
    assert not GiftMark.objects.exists()
    assert "Somebody is getting" not in look(Client(), wishes)


def test_nobody_takes_back_what_another_said(wishes: ProductList, client: Client) -> None:
    say(client, wishes, quantity=2)
    for other in (Client(), Client()):
        say(other, wishes, "unmark")
    assert GiftMark.objects.get().quantity == 2


def test_a_number_too_large_is_said_beside_the_field(wishes: ProductList, client: Client) -> None:
    """What was typed stays; the reason stands there; nothing is marked and nobody becomes a giver."""
    say(Client(), wishes)
    response = say(client, wishes, quantity=2)
    assert response.status_code == 422
    assert b"1 left to get" in response.content
    for wrong in ("", "x", "-1", "1e9", "100", "\0"):
        assert say(client, wishes, quantity=wrong).status_code == 422
    assert not client.cookies
    assert GiftMark.objects.count() == 1


def test_a_product_that_left_the_shop_can_still_be_marked(wishes: ProductList, client: Client) -> None:
    """SL-6: it can be had elsewhere; the title is the one the list has kept."""
    del MemoryCatalog.products["tea"]
    say(client, wishes)
    assert GiftMark.objects.get().title == "Sencha"
    assert "You are getting 1 × Sencha" in look(client, wishes)


def test_a_visitor_puts_a_wish_into_the_own_cart(wishes: ProductList, client: Client) -> None:
    """CK-4: at the catalogue's price, in the visitor's cookie; the list and the marks stay as they are."""
    response = say(client, wishes, "cart")
    assert response.status_code == 303
    assert "In your cart: Sencha" in look(client, wishes)
    assert client.cookies["cart"].value
    assert wishes.items.get(product_ref="tea").quantity == 2
    assert not GiftMark.objects.exists()
    MemoryCatalog.products["pot"] = PRODUCTS["cup"]
    say(client, wishes, "cart", product_ref="pot", options="red")
    assert "could not be put into your cart" in look(client, wishes)
    assert say(client, wishes, "cart", product_ref="sku-1").status_code == 303


# The owner ------------------------------------------------------------------------------------------


def test_the_owner_is_not_told(wishes: ProductList, client: Client, member: Client) -> None:
    """hides_gifts: not on the list's page, not by the own link, and no refusal tells it either."""
    path = reverse("thankyou_wishlists:list", args=[wishes.key])
    before = {"list": member.get(path).content, "shared": look(member, wishes)}
    say(client, wishes, quantity=2)
    say(client, wishes, product_ref="pot", options="red")
    assert {"list": member.get(path).content, "shared": look(member, wishes)} == before
    assert "to be a surprise" in before["shared"]
    full, free = (say(member, wishes, action) for action in ("mark", "unmark"))
    assert (full.status_code, full.headers["Location"]) == (free.status_code, free.headers["Location"])
    assert GiftMark.objects.count() == 2
    answers = [
        member.post(
            reverse("thankyou_wishlists:shared_gift", args=[wishes.share_key]),
            {"action": "mark", "product_ref": "tea", "quantity": quantity},
            headers={"accept": "application/json"},
        )
        for quantity in (1, 3)
    ]
    assert answers[0].content == answers[1].content


def test_an_owner_who_wants_to_know_sees_numbers(wishes: ProductList, client: Client, member: Client) -> None:
    """And never who."""
    share(list=wishes, hides_gifts=False)
    say(client, wishes, quantity=2)
    page = member.get(reverse("thankyou_wishlists:list", args=[wishes.key])).content.decode()
    assert "Somebody is getting: 2" in page
    key = GiftMark.objects.get().key
    assert key not in page
    assert key not in look(client, wishes)
    assert "Somebody is getting this." in look(member, wishes)


def test_the_owner_can_begin_anew_without_learning_anything(
    wishes: ProductList, client: Client, member: Client
) -> None:
    """The same answer whether there were marks or not."""
    path = reverse("thankyou_wishlists:list_share", args=[wishes.key])
    say(client, wishes)
    answers = [member.post(path, {"action": "free"}, headers={"accept": "application/json"}) for _ in range(2)]
    assert not GiftMark.objects.exists()
    assert answers[0].content == answers[1].content
    free_all(list=wishes)


# The giver's cookie ---------------------------------------------------------------------------------


def asking(text: str) -> HttpRequest:
    request = HttpRequest()
    request.COOKIES["cart_gifts"] = text
    return request


@given(text=st.one_of(st.text(max_size=300), st.binary(max_size=300).map(lambda data: data.decode("latin-1"))))
def test_any_bytes_are_nobody(text: str) -> None:
    """CK-3."""
    assert read_giver(asking(text)) == ""


@pytest.mark.parametrize("payload", ["", "x", "x" * 23, "x" * 5000, "ä" * 22, "\0" * 22])
def test_a_signed_cookie_of_another_kind_is_nobody(payload: str) -> None:
    """CK-1: own salt, own form; the cookie of a cart or a note is no giver, and the other way round."""
    assert read_giver(asking(signing.TimestampSigner(salt=givers.SALT).sign(payload))) == ""
    assert read_giver(asking(signing.TimestampSigner(salt="thankyou_wishlists.cart.v1").sign(ANN))) == ""
    assert read_giver(asking(signing.TimestampSigner(salt=givers.SALT).sign(ANN))) == ANN


def test_the_cookie_is_small_whatever_is_marked(wishes: ProductList, client: Client, site: Any) -> None:
    """CK-2: 128 bits and a signature; one key for all marks. Host-bound and secure where the site's cookies are."""
    say(client, wishes)
    value = client.cookies["cart_gifts"].value
    say(client, wishes, product_ref="pot", options="red")
    after = client.cookies["cart_gifts"].value
    assert value.split(":")[0] == after.split(":")[0]
    assert len("cart_gifts=" + after) < 120
    site.SESSION_COOKIE_SECURE = True
    secure = Client()
    say(secure, wishes)
    assert secure.cookies["__Host-cart_gifts"]["secure"]


def test_a_bad_cookie_costs_no_page(wishes: ProductList, client: Client) -> None:
    """CK-3: the page is there, nothing is "mine", and marking begins anew."""
    client.cookies["cart_gifts"] = "x" * 3000
    assert "You are getting" not in look(client, wishes)
    say(client, wishes)
    assert "You are getting this: 1" in look(client, wishes)


def test_a_new_giver_is_not_to_guess() -> None:
    assert len({new_giver() for _ in range(100)}) == 100


# Races ----------------------------------------------------------------------------------------------


def race(row: ProductList, *, threads: int = 20) -> list[Any]:
    """Let so many givers say at the same moment that they are getting a tea; return what each was told."""
    results: list[Any] = [None] * threads
    start = threading.Barrier(threads)

    def run(number: int) -> None:
        try:
            start.wait()
            results[number] = mark(list=row, giver=f"{number:022}", product_ref="tea")
        except Exception as error:
            results[number] = error
        finally:
            connection.close()

    workers = [threading.Thread(target=run, args=(number,)) for number in range(threads)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    return results


@pytest.mark.postgres
@pytest.mark.django_db(transaction=True)
def test_twenty_givers_at_once_get_what_is_wanted(customer: User) -> None:
    """Exactly the wanted number of marks, and everybody else is told that it is taken."""
    row = make_wishes(customer, quantity=3)
    results = race(row)
    assert taken(row).all == {("tea", ""): 3}
    assert sum(isinstance(result, AlreadyTaken) for result in results) == 17
    assert sum(isinstance(result, GiftMark) for result in results) == 3


@pytest.mark.postgres
@pytest.mark.django_db(transaction=True)
def test_one_giver_in_many_tabs_is_one_giver(customer: User) -> None:
    """The same mark from twenty tabs is one mark."""
    row = make_wishes(customer, quantity=3)
    start = threading.Barrier(20)
    errors: list[Exception] = []

    def run(number: int) -> None:
        try:
            start.wait()
            mark(list=row, giver=ANN, product_ref="tea", quantity=number % 3 + 1)
        except Exception as error:
            errors.append(error)
        finally:
            connection.close()

    workers = [threading.Thread(target=run, args=(number,)) for number in range(20)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    assert not errors
    assert GiftMark.objects.count() == 1
    unmark(list=row, giver=ANN, product_ref="tea")
    assert not GiftMark.objects.exists()


@pytest.mark.postgres
@pytest.mark.teeth
@pytest.mark.django_db(transaction=True)
def test_without_the_lock_more_would_be_got(customer: User, monkeypatch: pytest.MonkeyPatch) -> None:
    """The lock on the list is what keeps the promise: without it, all see the last tea."""
    row = make_wishes(customer, quantity=1)
    looking = threading.Barrier(20)

    def unlocked(list: ProductList) -> ProductList:
        return ProductList.objects.get(pk=list.pk)

    real = gifts.mark_key

    def key_then_wait(*args: Any) -> str:
        looking.wait()
        return real(*args)

    monkeypatch.setattr(gifts, "lock", unlocked)
    monkeypatch.setattr(gifts, "mark_key", key_then_wait)
    race(row)
    assert GiftMark.objects.count() > 1
