// <ty-compare> around a "Compare" form sends it without leaving the page and says what happened in the live region that
// the form brings. If it is refused (the comparison is full), the form is sent as any form is: the page that answers has
// the product that was wanted, and lets the customer choose which one it replaces.
import { publish } from "./state.js";

class Compare extends HTMLElement {
  connectedCallback() {
    this.addEventListener("submit", (event) => this.send(event));
  }

  async send(event) {
    const form = event.target;
    event.preventDefault();
    if (this.busy) return;
    this.busy = true;
    try {
      const response = await fetch(form.getAttribute("action"), {
        method: "POST",
        body: new FormData(form),
        headers: { Accept: "application/json" },
      });
      if (!response.ok) throw new Error(response.status);
      const { state, message } = await response.json();
      this.say(message);
      publish(state);
    } catch {
      form.submit();
    } finally {
      this.busy = false;
    }
  }

  say(message) {
    // The message of the page without scripts would say the same a second time.
    this.querySelector(".ty-added")?.remove();
    const status = this.querySelector(".ty-add-status");
    status.querySelector("[data-text]").textContent = message;
    status.querySelector("a").hidden = false;
  }
}

if (!customElements.get("ty-compare")) customElements.define("ty-compare", Compare);
