"""Make the README's pictures from a demo of its own: ``python scripts/screenshots.py`` writes to docs/images/.

Starts the example shop with fresh data on a free port, orders in it as a customer does, and stops it again. Run it by
hand after a change of how things look.
"""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from pathlib import Path

from PIL import Image
from playwright.sync_api import Browser, Page, expect, sync_playwright

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from tests.browser.chromium import HELP, find  # noqa: E402

IMAGES = ROOT / "docs" / "images"
DESK = {"width": 1280, "height": 960}
PHONE = {"width": 390, "height": 1080}
ADDRESS = {
    "Full name": "Ada Lovelace",
    "Street and number": "Rosenweg 1",
    "Postcode": "10115",
    "Town or city": "Berlin",
}
#: The thank-you page for a first order is the first one that the demo makes.
PAGE_TITLE = "Thank you"
CAMPAIGN_TITLE = "15 % off for three answers"


def main() -> int:
    path = find()
    if not path:
        sys.stderr.write(f"There is no Chromium. {HELP}\n")
        return 1
    IMAGES.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as folder:
        port = free_port()
        environment = {**os.environ, "EXAMPLE_SITE_VAR": folder, "PORT": str(port), "DATABASE_URL": ""}
        for command in ("migrate", "load_demo"):
            subprocess.run([sys.executable, "manage.py", command, "-v0"], cwd=ROOT, env=environment, check=True)
        # What has happened before, so that the numbers of a campaign have something to show.
        activity = subprocess.run(
            [sys.executable, "scripts/activity.py"],
            cwd=ROOT,
            env=environment,
            check=True,
            capture_output=True,
            text=True,
        )
        coupon = int(activity.stdout)
        serve = [sys.executable, "manage.py", "runserver", "--noreload", f"127.0.0.1:{port}"]
        with subprocess.Popen(
            serve, cwd=ROOT, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        ) as server:
            try:
                wait_for(f"http://127.0.0.1:{port}/")
                with sync_playwright() as playwright:
                    browser = playwright.chromium.launch(executable_path=path, args=["--no-sandbox", "--disable-gpu"])
                    take_all(browser, f"http://127.0.0.1:{port}", coupon=coupon)
                    browser.close()
            finally:
                server.terminate()
    return 0


def take_all(browser: Browser, url: str, *, coupon: int) -> None:
    """``coupon`` is the primary key of the one whose life is shown."""
    phone = new_page(browser, url, PHONE, scale=2)
    order(phone, "ada@example.com", ["/tea/earl-grey/", "/sweet-things/butter-shortbread/"])
    save(phone, "thank-you-phone.png")
    # The page for returning customers asks.
    order(phone, "ada@example.com", ["/tea/mountain-oolong/"])
    phone.set_viewport_size({"width": 390, "height": 1280})
    phone.get_by_role("heading", name="May we ask you something?").evaluate(
        "(heading) => heading.scrollIntoView({ block: 'start' })"
    )
    phone.mouse.wheel(0, -20)
    save(phone, "questions-phone.png")

    desk = new_page(browser, url, DESK, scale=1.5)
    order(desk, "ada.lovelace@example.com", ["/teaware/gaiwan/", "/tea/mountain-oolong/"])
    save(desk, "thank-you.png")
    # So that the list of campaigns has something to count: the offer is used.
    order(desk, "ada.lovelace@example.com", ["/sweet-things/oat-biscuits/"])

    editor = new_page(browser, url, {"width": 1440, "height": 900}, scale=1.5)
    editor.goto("/admin/")
    editor.locator("#id_username").fill("editor")
    editor.locator("#id_password").fill("editor")
    editor.get_by_role("button", name="Sign in").click()
    editor.goto("/admin/thankyou_coupons_campaign/")
    editor.set_viewport_size({"width": 1440, "height": 480})
    save(editor, "campaigns.png")
    editor.set_viewport_size({"width": 1280, "height": 1180})
    editor.get_by_role("link", name=CAMPAIGN_TITLE).first.click()
    expect(editor.locator("ty-plot canvas")).to_be_visible()
    save(editor, "campaign.png")
    editor.goto(f"/admin/thankyou_coupons_coupon/inspect/{coupon}/")
    editor.set_viewport_size({"width": 1280, "height": 1020})
    save(editor, "coupon-life.png")
    editor.set_viewport_size({"width": 1440, "height": 900})
    editor.goto("/admin/pages/search/?q=Thank+you")
    editor.get_by_role("link", name=PAGE_TITLE, exact=True).first.click()
    editor.get_by_role("button", name="Toggle preview").click()
    editor.get_by_label("Preview mode").select_option(label="Offer running")
    preview = editor.frame_locator("[data-w-preview-target=iframe], iframe#w-preview-iframe").first
    expect(preview.get_by_role("timer")).to_be_visible()
    editor.get_by_role("button", name="Toggle sidebar").click()
    # The block that is seen beside it, under its heading.
    editor.get_by_role("heading", name="Countdown offer").evaluate(
        "(heading) => heading.scrollIntoView({ block: 'start' })"
    )
    editor.mouse.wheel(0, -130)
    save(editor, "editor.png")


def new_page(browser: Browser, url: str, size: dict[str, int], *, scale: float) -> Page:
    context = browser.new_context(
        base_url=url, viewport=size, device_scale_factor=scale, locale="en-GB", reduced_motion="no-preference"
    )
    return context.new_page()


def order(page: Page, email: str, products: list[str]) -> None:
    """Buy these products as a guest, up to the thank-you page."""
    for product in products:
        page.goto(product)
        page.get_by_role("button", name="Add to cart").first.click()
        expect(page.locator(".ty-add-status [data-text]:not(:empty), .ty-added:target").first).to_be_visible()
    page.goto("/checkout/")
    for label, text in {"E-mail": email, **ADDRESS}.items():
        page.get_by_label(label, exact=True).fill(text)
    page.get_by_role("button", name="Order and pay").click()
    page.locator("main").get_by_role("button", name="Pay ").first.click()
    expect(page.locator(".ty-head__number")).to_be_visible()


def save(page: Page, name: str) -> None:
    """Write what is in view, with as few colours as it takes: a README is loaded often."""
    page.wait_for_load_state("networkidle")
    path = IMAGES / name
    page.screenshot(path=path, animations="disabled")
    with Image.open(path) as picture:
        picture.convert("RGB").quantize(colors=192, dither=Image.Dither.NONE).save(path, optimize=True)
    sys.stdout.write(f"{path.relative_to(ROOT)} {path.stat().st_size // 1024} KB\n")


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def wait_for(url: str) -> None:
    for _try in range(60):
        try:
            with urllib.request.urlopen(url, timeout=10):
                return
        except OSError:
            time.sleep(0.5)
    raise RuntimeError(f"{url} does not answer.")


if __name__ == "__main__":
    sys.exit(main())
