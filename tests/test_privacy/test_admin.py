"""The page "People" in the Wagtail admin (EM-13, CM-4)."""

from __future__ import annotations

import json
from typing import Any

import pytest
from django.contrib.auth import get_user_model
from django.contrib.auth.models import Permission
from django.test import Client
from django.urls import reverse
from wagtail.models import ModelLogEntry

from tests.test_privacy.world import EMAIL, MARKER, PROVED, make_person, tables_with
from thankyou_flows.admin.people import people_permissions
from thankyou_flows.models import Contact

pytestmark = pytest.mark.django_db

INDEX, DOWNLOAD, ERASE = (f"thankyou_flows_people:{name}" for name in ("index", "download", "erase"))


@pytest.fixture(autouse=True)
def _proved(settings: Any) -> None:
    settings.THANKYOU_COUPONS = PROVED


def staff(*codenames: str) -> Client:
    """Return the browser of somebody of the staff with these rights."""
    user = get_user_model().objects.create_user(f"staff-{'-'.join(codenames)}", "staff@example.org", "pw")
    user.user_permissions.set(Permission.objects.filter(codename__in=["access_admin", *codenames]))
    client = Client()
    client.force_login(user)
    return client


@pytest.fixture
def both() -> Client:
    return staff("export_person", "erase_person")


@pytest.mark.parametrize("name", [INDEX, DOWNLOAD, ERASE])
@pytest.mark.parametrize("verb", ["get", "post"])
def test_nobody_without_the_right_sees_or_changes_anything(client: Client, name: str, verb: str) -> None:
    """CM-4: not logged in, or of the staff with rights of other kinds only."""
    make_person()
    data = {"email": EMAIL, "again": EMAIL}
    assert "login" in getattr(client, verb)(reverse(name), data)["Location"]
    response = getattr(staff("view_contact", "view_message"), verb)(reverse(name), data)
    assert response.status_code == 302 and response["Location"] == reverse("wagtailadmin_home")
    assert Contact.objects.filter(email=EMAIL).exists()


def test_who_may_look_up_may_not_erase() -> None:
    """CM-4: two rights; both can be given to a group."""
    make_person()
    looker, eraser = staff("export_person"), staff("erase_person")
    page = looker.post(reverse(INDEX), {"email": EMAIL}).content.decode()
    assert "Download everything" in page and reverse(ERASE) not in page
    assert looker.post(reverse(ERASE), {"email": EMAIL, "again": EMAIL}).status_code == 302
    assert Contact.objects.filter(email=EMAIL).exists()
    assert eraser.post(reverse(DOWNLOAD), {"email": EMAIL}).status_code == 302
    assert {each.codename for each in people_permissions()} == {"export_person", "erase_person"}


def test_it_says_what_is_known_in_plain_words(both: Client) -> None:
    """EM-13: what, how many, what erasure does, and why."""
    make_person(times=3)
    response = both.post(reverse(INDEX), {"email": EMAIL.upper()})
    text = " ".join(response.content.decode().split())
    for part in (
        "What is known by",
        "Questions from customers",
        "Erasure deletes",
        "Stays without a name",
        "Stays, for a reason",
    ):
        assert part in text, part
    known = {line.what: line.count for line in response.context["known"]}
    assert known["Coupons"] == 6 and known["Contacts"] == 1 and known["Lists"] == 3
    assert "no-store" in response["Cache-Control"]


def test_addresses_stand_in_no_address_of_a_page(both: Client) -> None:
    """OP-6: an address travels in POSTs only; a GET shows the empty form, whatever is behind the question mark."""
    make_person()
    page = both.get(reverse(INDEX), {"email": EMAIL}).content.decode()
    assert MARKER not in page and "Look up" in page
    assert both.get(reverse(ERASE), {"email": EMAIL})["Location"] == reverse(INDEX)
    assert both.get(reverse(DOWNLOAD))["Location"] == reverse(INDEX)


def test_nothing_is_known_of_a_stranger(both: Client) -> None:
    """It says so, and what it might be."""
    page = both.post(reverse(INDEX), {"email": "nobody@example.com"}).content.decode()
    assert "Nothing." in page and "Download everything" not in page
    assert "Enter a valid email address" in both.post(reverse(INDEX), {"email": "no"}).content.decode()


def test_a_download_is_a_file_and_is_logged_without_the_address(both: Client) -> None:
    """EM-13, OP-6: everything as JSON; that it was taken is written down."""
    make_person()
    response = both.post(reverse(DOWNLOAD), {"email": EMAIL})
    assert response["Content-Disposition"] == 'attachment; filename="person.json"'
    assert "no-store" in response["Cache-Control"]
    assert len(json.loads(response.content)["data"]) > 15
    entry = ModelLogEntry.objects.get(action="thankyou_flows.export_person")
    assert entry.data["count"] > 20 and MARKER not in f"{entry.label}{entry.data}"
    assert both.post(reverse(DOWNLOAD), {"email": "no"})["Location"] == reverse(INDEX)


def test_erasure_says_what_it_does_and_wants_the_address_again(both: Client) -> None:
    """EM-13: what goes, what stays and why; a slip of the hand erases nobody."""
    make_person()
    response = both.post(reverse(ERASE), {"email": EMAIL})
    page = response.content.decode()
    assert "It cannot be undone" in page and "Coupons that are out stay valid" in page
    assert "This field is required" not in page
    for wrong in ("", "other@example.com"):
        response = both.post(reverse(ERASE), {"email": EMAIL, "again": wrong})
        assert response.status_code == 200 and response.context["form"].errors["again"]
    assert Contact.objects.filter(email=EMAIL).exists()
    response = both.post(reverse(ERASE), {"email": EMAIL, "again": f" {EMAIL.upper()} "}, follow=True)
    assert "Erased: " in response.content.decode()
    entry = ModelLogEntry.objects.get(action="thankyou_flows.erase_person")
    assert entry.data["count"] > 20
    assert tables_with(MARKER) == set()


def test_erasing_twice_is_harmless(both: Client) -> None:
    """A second press of the button says that there was nothing left."""
    make_person()
    for said in ("Erased: ", "There was nothing to erase any more."):
        response = both.post(reverse(ERASE), {"email": EMAIL, "again": EMAIL}, follow=True)
        assert said in response.content.decode()


def test_an_account_that_only_claims_the_address_must_be_ticked(both: Client, settings: Any) -> None:
    """CO-6: anybody can open an account with somebody else's address."""
    settings.THANKYOU_COUPONS = {}
    made = make_person()
    lists = "thankyou_wishlists.productlist"
    page = both.post(reverse(INDEX), {"email": EMAIL})
    assert "Accounts that only claim this address" in page.content.decode()
    assert lists not in json.loads(both.post(reverse(DOWNLOAD), {"email": EMAIL}).content)["data"]
    ticked = {"email": EMAIL, "accounts": [made.user.pk]}
    assert "as you have ticked" in both.post(reverse(INDEX), ticked).content.decode()
    assert lists in json.loads(both.post(reverse(DOWNLOAD), ticked).content)["data"]
    assert f'name="accounts" value="{made.user.pk}"' in both.post(reverse(ERASE), ticked).content.decode()
    both.post(reverse(ERASE), {**ticked, "again": EMAIL})
    assert tables_with(MARKER) == set()


def test_an_account_with_another_address_cannot_be_slipped_in(both: Client) -> None:
    """CM-4: a number in a form is no right to look into somebody else's lists."""
    make_person()
    bob = make_person(email="bob@example.com", marker="bobmarker", number="B")
    response = both.post(reverse(DOWNLOAD), {"email": EMAIL, "accounts": [bob.user.pk]})
    assert response.status_code == 302
    response = both.post(reverse(ERASE), {"email": EMAIL, "accounts": [bob.user.pk], "again": EMAIL})
    assert tables_with("bobmarker")


def test_a_busy_database_is_explained(both: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    """CO-3: nothing is half erased, and nobody sees a trace of Python."""
    from coupons.exceptions import CouponBusy

    def busy(**_: Any) -> None:
        raise CouponBusy

    make_person()
    monkeypatch.setattr("thankyou_flows.admin.people.erase_found", busy)
    response = both.post(reverse(ERASE), {"email": EMAIL, "again": EMAIL})
    assert "Please try again" in response.content.decode()


def test_the_menu_shows_it_to_those_who_may(both: Client) -> None:
    """CM-4: in the group "Mail"."""
    home = reverse("wagtailadmin_home")
    assert reverse(INDEX) in both.get(home).content.decode()
    assert reverse(INDEX) not in staff("view_contact").get(home).content.decode()
