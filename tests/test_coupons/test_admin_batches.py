"""The owner's screens for codes in bulk: order, watch, download, import; and who may do which."""

from __future__ import annotations

import csv
import io
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import Permission, User
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from wagtail.models import ModelLogEntry

from coupons import bulk
from coupons.admin import batches as screens
from coupons.bulk import order_batch, stop_batch, work_batch
from coupons.importing import import_codes
from coupons.models import Coupon, CouponBatch
from tests.test_coupons.asking import make_asking_campaign
from tests.test_coupons.factories import make_campaign

pytestmark = pytest.mark.django_db

INDEX, ADD, IMPORT = (f"thankyou_coupons_batch:{name}" for name in ("index", "add", "import"))


def client_of(*permissions: str, name: str = "") -> Client:
    user = User.objects.create_user(name or "-".join(permissions) or "nobody")
    user.user_permissions.set(Permission.objects.filter(codename__in=("access_admin", *permissions)))
    client = Client()
    client.force_login(user)
    return client


@pytest.fixture
def owner() -> Client:
    return client_of("issue_coupon", "export_coupon")


def order(quantity: int = 25) -> CouponBatch:
    return order_batch(campaign=make_campaign(), quantity=quantity, note="Flyer")


def url(name: str, batch: CouponBatch) -> str:
    return reverse(f"thankyou_coupons_batch:{name}", args=[batch.pk])


def imported(text: str) -> CouponBatch:
    return import_codes(campaign=make_campaign(), file=io.BytesIO(text.encode()))


# Order and watch -------------------------------------------------------------------------------------


def test_codes_are_ordered_and_made_while_somebody_watches(owner: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without a worker: each POST makes a piece, and looking makes none."""
    monkeypatch.setattr(screens, "PIECE", 10)
    monkeypatch.setattr(screens, "BUDGET", timedelta(0))
    campaign = make_campaign()
    sent = owner.post(reverse(ADD), {"campaign": campaign.pk, "quantity": 25, "note": "Flyer"})
    batch = CouponBatch.objects.get()
    assert sent["Location"] == url("inspect", batch)
    assert (batch.note, batch.created_by) == ("Flyer", User.objects.get())
    page = owner.get(url("inspect", batch)).content.decode()
    assert '<progress class="ty-batch__bar" max="25" value="0"' in page
    assert not Coupon.objects.exists()
    assert owner.post(url("work", batch), headers={"accept": "application/json"}).json() == {
        "made": 10,
        "quantity": 25,
        "open": True,
        "text": "10 of 25 codes are made.",
    }
    # The button of the page without JavaScript.
    assert owner.post(url("work", batch), headers={"accept": "text/html"})["Location"] == url("inspect", batch)
    assert owner.post(url("work", batch), headers={"accept": "application/json"}).json()["open"] is False
    page = owner.get(url("inspect", batch)).content.decode()
    assert "All 25 codes are made." in page
    assert "Go on" not in page
    assert batch.coupons.count() == 25


def test_the_page_leaves_a_batch_to_its_worker(owner: Client) -> None:
    batch = order()
    lease = timezone.now() + bulk.LEASE
    CouponBatch.objects.filter(pk=batch.pk).update(status="running", leased_until=lease)
    assert owner.post(url("work", batch), headers={"accept": "application/json"}).json()["made"] == 0


def test_a_batch_is_stopped_and_taken_up_again(owner: Client) -> None:
    batch = order()
    owner.post(url("stop", batch))
    assert "Stopped: 0 of 25 codes are made." in owner.get(url("inspect", batch)).content.decode()
    owner.post(url("resume", batch))
    batch.refresh_from_db()
    assert batch.is_open


def test_a_batch_whose_campaign_has_ended_is_not_taken_up_again(owner: Client) -> None:
    batch = stop_batch(batch=order())
    batch.campaign.status = "ended"
    batch.campaign.save()
    page = owner.post(url("resume", batch), follow=True).content.decode()
    assert "This campaign has ended." in page


@pytest.mark.parametrize("quantity", ["0", "1000001", "many", ""])
def test_an_order_that_cannot_be_says_so(owner: Client, quantity: str) -> None:
    page = owner.post(reverse(ADD), {"campaign": make_campaign().pk, "quantity": quantity})
    assert page.status_code == 200
    assert "error-message" in page.content.decode()
    assert not CouponBatch.objects.exists()


def test_only_campaigns_that_get_codes_can_be_chosen(owner: Client) -> None:
    for status in ("draft", "running", "paused", "ended"):
        make_campaign(title=f"Campaign {status}", status=status)
    make_campaign(title="Campaign word", code_type="word", word="SPRING", limit_per_customer=1)
    make_campaign(title="Campaign over", ends_at=timezone.now())
    for name in (ADD, IMPORT):
        page = owner.get(reverse(name)).content.decode()
        assert [s for s in ("draft", "running", "paused", "ended", "word", "over") if f"Campaign {s}" in page] == [
            "draft",
            "running",
        ]


def test_the_campaign_one_comes_from_is_chosen(owner: Client) -> None:
    campaign = make_campaign()
    page = owner.get(reverse(ADD), {"campaign": campaign.pk}).content.decode()
    assert f'<option value="{campaign.pk}" selected>' in page


# Files -----------------------------------------------------------------------------------------------


def rows_of(response: Any) -> list[dict[str, str]]:
    assert response.streaming
    text = b"".join(response.streaming_content).decode("utf-8-sig")
    return list(csv.DictReader(io.StringIO(text)))


def test_the_codes_of_a_batch_are_downloaded(owner: Client) -> None:
    """CM-5: and it is written down who did."""
    batch = work_batch(batch=order(3))
    response = owner.post(url("export", batch))
    assert {row["code"] for row in rows_of(response)} == {coupon.display_code for coupon in batch.coupons.all()}
    assert "no-store" in response["Cache-Control"]
    assert response["Content-Disposition"] == f'attachment; filename="test-{batch.pk}.csv"'
    entry = ModelLogEntry.objects.get(action="thankyou_coupons.export_codes")
    assert (entry.user, entry.data["count"], entry.message) == (User.objects.get(), 3, "Exported 3 codes")


def test_locked_codes_are_downloaded_with_their_links(owner: Client) -> None:
    """CO-9, CM-4: a code alone opens nothing; the links are for whoever may give out coupons, and both pages say so."""
    campaign = make_asking_campaign(title="Three questions")
    batch = work_batch(batch=order_batch(campaign=campaign, quantity=2))
    for name in (ADD, IMPORT):
        page = owner.get(reverse(name)).content.decode()
        assert "Three questions (asks questions first)" in page
        assert "unlock_url" in page
    assert "unlock_url" in owner.get(url("inspect", batch)).content.decode()
    path = reverse("thankyou_coupons_batch:export_campaign", args=[campaign.pk])
    for address in (url("export", batch), path):
        rows = rows_of(owner.post(address))
        assert [row["state"] for row in rows] == ["locked", "locked"]
        links = [row["unlock_url"] for row in rows]
        assert all(link.startswith("http://") for link in links)
        opened = Client().get("/" + links[0].split("/", 3)[3], follow=True)
        assert opened.status_code == 200
        assert "unlock_url" not in rows_of(client_of("export_coupon", name=address).post(address))[0]


def test_the_codes_of_a_campaign_are_downloaded(owner: Client) -> None:
    batch = work_batch(batch=order(3))
    path = reverse("thankyou_coupons_batch:export_campaign", args=[batch.campaign_id])
    assert len(rows_of(owner.post(path))) == 3
    assert ModelLogEntry.objects.filter(action="thankyou_coupons.export_codes").count() == 1


def test_an_import_tells_what_became_of_each_row(owner: Client) -> None:
    """CM-1: nothing that stood in the file comes back."""
    text = "code\nABCD\nABCD\n<script>alert(1)</script>\n=cmd|calc\n"
    upload = SimpleUploadedFile("codes.csv", text.encode(), "text/csv")
    sent = owner.post(reverse(IMPORT), {"campaign": make_campaign().pk, "file": upload, "note": "=1+1"})
    batch = CouponBatch.objects.get()
    assert sent["Location"] == url("inspect", batch)
    assert ModelLogEntry.objects.get(action="thankyou_coupons.import_codes").message == "Imported one code"
    page = owner.get(url("inspect", batch)).content.decode()
    assert "This code stands further up in the file already." in page
    assert "alert(1)" not in page
    rows = rows_of(owner.get(url("refused", batch)))
    assert [row["row"] for row in rows] == ["3", "4", "5"]


def test_a_file_that_will_not_do_says_so_beside_the_field(owner: Client) -> None:
    for data, said in ((b"PK\x03\x04", "This is not a CSV file."), (b"Gutschein\nA\n", "must be called “code”")):
        upload = SimpleUploadedFile("codes.csv", data)
        page = owner.post(reverse(IMPORT), {"campaign": make_campaign().pk, "file": upload})
        assert said in page.content.decode()
    assert not CouponBatch.objects.exists()


def test_a_file_that_is_too_large(owner: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("coupons.admin.batch_forms.LARGEST_UPLOAD", 3)
    upload = SimpleUploadedFile("codes.csv", b"code\nABCD\n")
    page = owner.post(reverse(IMPORT), {"campaign": make_campaign().pk, "file": upload}).content.decode()
    assert "Please split it." in page


def test_many_refused_rows_are_in_the_file_only(owner: Client) -> None:
    batch = imported("code\n" + "ÄÖÜ\n" * 50)
    page = owner.get(url("inspect", batch)).content.decode()
    assert page.count("This is no code") == screens.REFUSED_SHOWN
    assert "The file has them all." in page
    assert len(rows_of(owner.get(url("refused", batch)))) == 50
    CouponBatch.objects.update(rejected=[])
    assert "no longer kept" in owner.get(url("inspect", batch)).content.decode()
    assert owner.get(url("refused", batch)).status_code == 404


# Who may, and what it costs --------------------------------------------------------------------------

ISSUE = ["work", "stop", "resume"]
EXPORT = ["export", "export_campaign"]


@pytest.mark.parametrize("permission", ["", "view_coupon", "issue_coupon", "export_coupon"])
def test_making_and_taking_codes_are_two_permissions(permission: str) -> None:
    """CM-4: each view asks for its own, and a look at the list needs one of them."""
    client = client_of(*filter(None, [permission]))
    batch = imported("code\nABCD\nÄ\n")
    home = reverse("wagtailadmin_home")

    def may(response: Any) -> bool:
        return response.headers.get("Location") != home

    gets = {name: may(client.get(reverse(name))) for name in (INDEX, ADD, IMPORT)}
    gets["inspect"], gets["refused"] = may(client.get(url("inspect", batch))), may(client.get(url("refused", batch)))
    posts = {name: may(client.post(url(name, batch))) for name in [*ISSUE, "export"]}
    path = reverse("thankyou_coupons_batch:export_campaign", args=[batch.campaign_id])
    posts["export_campaign"] = may(client.post(path))
    issues, exports = permission == "issue_coupon", permission == "export_coupon"
    assert gets == {
        INDEX: issues or exports,
        ADD: issues,
        IMPORT: exports,
        "inspect": issues or exports,
        "refused": exports,
    }
    assert posts == dict.fromkeys(ISSUE, issues) | dict.fromkeys(EXPORT, exports)
    shown = reverse(INDEX) in client.get(home).content.decode()
    assert shown == (issues or exports)


def test_looking_changes_nothing(owner: Client) -> None:
    """CO-12: what changes something is no GET."""
    batch = order()
    for name in (*ISSUE, *EXPORT):
        assert owner.get(url(name, batch)).status_code == 405, name


def test_the_list_costs_the_same_for_one_and_twenty(owner: Client, django_assert_max_num_queries: Any) -> None:
    counts = []
    for more in (1, 19):
        for _ in range(more):
            order()
        owner.get(reverse(INDEX))
        with django_assert_max_num_queries(30) as captured:
            page = owner.get(reverse(INDEX)).content.decode()
        counts.append(len(captured))
        assert page.count("Flyer") == (1 if more == 1 else 20)
    assert counts[0] == counts[1]
