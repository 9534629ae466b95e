// <ty-countdown ends-at server-now starts-at clock-url …> shows how much time is left. The server is the clock (CD-1): its time
// comes with the page, a monotonic clock carries it on, and the server is asked again when the page comes back to sight.
import { focusOn, parse, swap } from "./blocks.js";
import { describe, isAdrift, milestone, part, timeLeft, untilChange } from "./clock.js";
import { say } from "./status.js";

const HIDDEN = "thankyou_flows.clock_hidden";
/** A machine that slept is noticed after this time at the latest. */
const PATIENCE = 10_000;

class Countdown extends HTMLElement {
  connectedCallback() {
    const [page] = performance.getEntriesByType("navigation");
    this.clock = {
      endsAt: this.time("ends-at"),
      serverNow: this.time("server-now"),
      askedAt: Number(this.getAttribute("asked-at") ?? page?.requestStart ?? 0),
    };
    // Without times there is nothing to show, and the sentence above says it all.
    if (!Number.isFinite(timeLeft(this.clock, 0))) return;
    this.whole = this.clock.endsAt - this.time("starts-at");
    this.texts = Object.fromEntries(
      ["hours", "whole-hours", "minutes", "seconds"].map((name) => [
        name.replace("-h", "H"),
        this.getAttribute(`text-${name}`) ?? "",
      ]),
    );
    this.figures = this.querySelector('[role="timer"]');
    this.bar = this.querySelector(".ty-countdown__bar");
    this.toggle = this.querySelector("button");
    this.controller = new AbortController();
    const { signal } = this.controller;
    this.toggle.addEventListener("click", () => this.setHidden(!this.hasAttribute("clock-hidden"), true), { signal });
    const look = () => document.visibilityState === "visible" && this.ask();
    document.addEventListener("visibilitychange", look, { signal });
    window.addEventListener("pageshow", (event) => event.persisted && look(), { signal });
    this.setHidden(remembered());
    this.seen = now();
    this.hidden = false;
    this.tick();
    // A page out of a cache is older than it knows.
    if (!this.hasAttribute("asked-at") && !page?.transferSize) this.ask();
  }

  disconnectedCallback() {
    clearTimeout(this.timer);
    this.controller?.abort();
  }

  time(name) {
    return Date.parse(this.getAttribute(name));
  }

  tick() {
    clearTimeout(this.timer);
    if (this.isOver) return;
    if (isAdrift(this.seen, now())) this.ask();
    const left = timeLeft(this.clock, performance.now());
    this.show(left);
    const passed = milestone(this.left ?? left, left);
    this.left = left;
    if (left === 0) this.end();
    else {
      // Asking the server again may set the clock back over a milestone; it is said once.
      if (passed !== null && passed < (this.said ?? Infinity)) say(this.getAttribute(`say-${(this.said = passed)}`));
      this.timer = setTimeout(() => this.tick(), Math.min(untilChange(left), PATIENCE));
    }
  }

  show(left) {
    const text = describe(left, this.texts);
    if (text === this.shown) return;
    this.figures.textContent = this.shown = text;
    this.bar?.style.setProperty("--ty-part", part(left, this.whole));
  }

  async ask() {
    const url = this.getAttribute("clock-url");
    this.seen = now();
    if (!url || this.isAsking || this.isOver) return;
    this.isAsking = true;
    const askedAt = performance.now();
    try {
      const response = await fetch(url, { cache: "no-store", signal: this.controller.signal });
      const serverNow = Date.parse((await response.json()).now);
      if (Number.isFinite(serverNow)) this.clock = { ...this.clock, serverNow, askedAt };
    } catch {
      // The last answer has to do.
    } finally {
      this.isAsking = false;
    }
    if (this.isConnected) this.tick();
  }

  async end() {
    this.isOver = true;
    const block = this.closest(".ty-block[id]");
    const askedAt = performance.now();
    const fresh = await this.fetchBlock(block).catch(() => null);
    if (!this.isConnected) return;
    const other = fresh?.querySelector("ty-countdown");
    // More time was asked for in another window: what is over here is not over.
    if (other && Date.parse(other.getAttribute("ends-at")) > this.clock.endsAt) swap(block, fresh, askedAt);
    else this.close();
  }

  async fetchBlock(block) {
    if (!block || !this.hasAttribute("clock-url")) return null;
    const response = await fetch(location.href, { cache: "no-store", signal: AbortSignal.timeout(5000) });
    return response.ok ? (await parse(response)).getElementById(block.id) : null;
  }

  /** Say kindly that it is over, where the offer stood. Nothing else on the page is touched. */
  close() {
    const place = this.closest("[data-ty-while]") ?? this;
    const hadFocus = place.contains(document.activeElement);
    const end = document.createElement("div");
    end.append(this.querySelector("template").content.cloneNode(true));
    place.replaceWith(end);
    if (hadFocus) focusOn(end);
    else say(this.getAttribute("say-0"));
  }

  setHidden(isHidden, byHand = false) {
    this.toggleAttribute("clock-hidden", isHidden);
    this.toggle.textContent = this.toggle.getAttribute(isHidden ? "data-show" : "data-hide");
    if (byHand) remember(isHidden);
  }
}

function now() {
  return { steady: performance.now(), wall: Date.now() };
}

function remembered() {
  try {
    return sessionStorage.getItem(HIDDEN) === "1";
  } catch {
    return false;
  }
}

function remember(isHidden) {
  try {
    sessionStorage.setItem(HIDDEN, isHidden ? "1" : "0");
  } catch {
    // A browser that keeps nothing hides it on this page only.
  }
}

if (!customElements.get("ty-countdown")) customElements.define("ty-countdown", Countdown);
