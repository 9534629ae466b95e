"""A code from a link and from the field, with and without scripts, looked at from all sides (CO-12, AX-5)."""

from __future__ import annotations

from collections.abc import Callable

from playwright.sync_api import expect

from coupons.codes import generate
from coupons.issuing import issue
from coupons.models import Campaign

from .journey import Shopper
from .looking import faults
from .watching import Watch


def make_code() -> str:
    campaign = Campaign.objects.create(title="Browser", status=Campaign.Status.RUNNING, benefit="percent", percent=10)
    return issue(campaign=campaign).display_code


def look(shopper: Shopper, axe: Callable[..., list[str]]) -> list[str]:
    """Return what is wrong with the page; it is the same page without scripts."""
    return faults(shopper.page, axe) if shopper.has_script else []


def test_a_code_from_a_link(either: Shopper, axe: Callable[..., list[str]], watch: Watch) -> None:
    """CO-12: a banner, a page with a button, and back to the product with the news; the total shows it."""
    page, code, found = either.page, make_code(), []
    either.quick_take("/tea/jasmine-pearls/")
    either.open(f"/tea/earl-grey/?coupon={code}")
    expect(page.locator("main")).to_contain_text(f"You bring the code {code}.")
    found += look(either, axe)
    page.get_by_role("link", name="Use this code").click()
    expect(page.get_by_label("Code", exact=True)).to_have_value(code)
    expect(page.get_by_text("You bring the code")).to_have_count(0)
    found += look(either, axe)
    page.get_by_role("button", name="Use this code").click()
    expect(page.get_by_text("Your coupon is on this order: 10% off.")).to_be_visible()
    assert page.url.endswith("/tea/earl-grey/")
    found += look(either, axe)
    either.open("/coupons/apply/")
    expect(page.get_by_role("listitem").filter(has_text=code)).to_contain_text("10% off")
    found += look(either, axe)
    either.go_to_checkout()
    expect(page.locator("#summary")).to_contain_text("10% off")
    assert not found, "\n".join(dict.fromkeys(found))


def test_a_wrong_code_on_the_cart_page(either: Shopper, axe: Callable[..., list[str]], watch: Watch) -> None:
    """AX-3, CO-7: the reason stands beside the field, what was typed is still there, and the sixth try has to wait."""
    watch.allow(r"status of 4(22|29)")
    page, found = either.page, []
    either.quick_take()
    either.go_to_cart()
    page.get_by_text("I have a code").click()
    field, button = page.get_by_label("Code", exact=True), page.get_by_role("button", name="Use this code")
    found += look(either, axe)
    field.fill("7K3M-Q0ZT-9XWB")
    button.click()
    expect(page.locator("#ty-coupon-error")).to_contain_text("typing error")
    expect(field).to_have_value("7K3M-Q0ZT-9XWB")
    expect(field).to_be_focused()
    found += look(either, axe)
    field.fill(make_code())
    button.click()
    expect(page.get_by_role("heading", name="Your cart")).to_be_visible()
    page.get_by_text("I have a code").click()
    for _n in range(6):
        field.fill(generate())
        button.click()
    expect(page.locator("#ty-coupon-error")).to_contain_text("Please wait a few minutes")
    found += look(either, axe)
    assert not found, "\n".join(dict.fromkeys(found))
