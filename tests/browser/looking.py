"""Looking at a page from every side: light and dark, narrow and wide, with large text. What is wrong comes back in words."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from playwright.sync_api import Page

NARROW = {"width": 320, "height": 640}
WIDE = {"width": 1280, "height": 900}

#: What a finger cannot hit (2.5.8): smaller than 24 px, in no sentence, and nearer than 24 px to its neighbours.
SMALL_TARGETS = """() => {
  const all = "a[href], button, input:not([type=hidden]), select, textarea, summary, [role=button]";
  const seen = (element) => element.checkVisibility({ opacityProperty: true, visibilityProperty: true })
    && element.getBoundingClientRect().width > 1 && !element.closest("[aria-hidden=true], .ty-trap, .skip-link");
  const boxes = [...document.querySelectorAll(all)].filter(seen).map((element) => {
    const label = element.matches("[type=radio], [type=checkbox]") && element.closest("label");
    return { element, box: (label || element).getBoundingClientRect() };
  });
  const inSentence = (element) => element.matches("a") && getComputedStyle(element).display === "inline"
    && element.parentElement.textContent.trim().length > element.textContent.trim().length + 3;
  const isFar = (one, other) => {
    const [x, y] = [(one.left + one.right) / 2, (one.top + one.bottom) / 2];
    const dx = Math.max(other.left - x, x - other.right, 0), dy = Math.max(other.top - y, y - other.bottom, 0);
    return Math.hypot(dx, dy) >= 12;
  };
  return boxes
    .filter(({ box }) => box.width < 24 || box.height < 24)
    .filter(({ element }) => !inSentence(element))
    .filter(({ element, box }) => !boxes.every((other) => other.element === element || isFar(box, other.box)))
    .map(({ element, box }) => `${Math.round(box.width)}x${Math.round(box.height)} ${element.outerHTML.slice(0, 120)}`);
}"""

#: What sticks out of the page.
WIDER_THAN_THE_PAGE = """() => {
  const width = document.documentElement.clientWidth;
  if (document.documentElement.scrollWidth <= width) return [];
  const wide = [...document.body.querySelectorAll("*")].filter((each) => each.getBoundingClientRect().right > width + 1);
  return wide.slice(-3).map((each) => each.outerHTML.slice(0, 120));
}"""

#: Text that is cut off: its box is too low or too narrow, and does not scroll.
CUT_OFF = """() => [...document.body.querySelectorAll("*")]
  .filter((each) => [...each.childNodes].some((node) => node.nodeType === 3 && node.textContent.trim()))
  .filter((each) => each.checkVisibility() && !each.closest(".visually-hidden, .ty-visually-hidden, .skip-link, .ty-trap"))
  .filter((each) => ["hidden", "clip"].includes(getComputedStyle(each).overflowX)
    && (each.scrollWidth > each.clientWidth + 1 || each.scrollHeight > each.clientHeight + 1))
  .map((each) => each.outerHTML.slice(0, 120))"""


#: An element is in sight before the style sheets are there: axe would measure the browser's own colours and sizes. Two
#: frames, because scripts that follow the window's size run in the first.
SETTLED = """async () => {
  await document.fonts.ready;
  for (let frame = 0; frame < 2; frame++) await new Promise(requestAnimationFrame);
}"""


def faults(page: Page, axe: Callable[..., list[str]]) -> Iterator[str]:
    """Look at the page as it is now, without reloading it; leave it light and wide."""
    page.wait_for_load_state("load")
    place = page.url.split("/", 3)[3]
    for size in (NARROW, WIDE):
        page.set_viewport_size(size)
        for scheme in ("dark", "light"):
            page.emulate_media(color_scheme=scheme)
            page.evaluate(SETTLED)
            yield from _named(f"/{place} {size['width']} {scheme}", axe(page))
        yield from _named(f"/{place} {size['width']} sticks out", page.evaluate(WIDER_THAN_THE_PAGE))
        yield from _named(f"/{place} {size['width']} small target", page.evaluate(SMALL_TARGETS))
    page.evaluate("document.documentElement.style.fontSize = '200%'")
    page.evaluate(SETTLED)
    yield from _named(f"/{place} large text sticks out", page.evaluate(WIDER_THAN_THE_PAGE))
    yield from _named(f"/{place} large text cut off", page.evaluate(CUT_OFF))
    page.evaluate("document.documentElement.style.fontSize = ''")


def _named(name: str, found: Any) -> list[str]:
    return [f"{name}: {each}" for each in found]
