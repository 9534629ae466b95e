// <ty-add-to-cart> around an add-to-cart form sends it without leaving the page and says what happened in the live
// region that the form brings. Without it, or if anything goes wrong, the form is sent as any form is.
import { publish } from "./state.js";

class AddToCart extends HTMLElement {
  connectedCallback() {
    this.addEventListener("submit", (event) => this.send(event));
  }

  async send(event) {
    const form = event.target;
    event.preventDefault();
    if (this.busy) return;
    this.busy = true;
    try {
      const response = await fetch(form.action, {
        method: "POST",
        body: new FormData(form),
        headers: { Accept: "application/json" },
      });
      const { state, message } = await response.json();
      this.say(message, response.ok);
      publish(state);
    } catch {
      form.submit();
    } finally {
      this.busy = false;
    }
  }

  say(message, good) {
    // The message of the page without scripts would say the same a second time.
    this.querySelector(".ty-added")?.remove();
    const status = this.querySelector(".ty-add-status");
    status.querySelector("[data-text]").textContent = message;
    status.querySelector("a").hidden = !good;
  }
}

if (!customElements.get("ty-add-to-cart")) customElements.define("ty-add-to-cart", AddToCart);
