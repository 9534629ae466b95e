// <ty-compare> around a "Compare" form sends it without leaving the page and says what happened in the live region that
// the form brings. If it is refused (the comparison is full), the form is sent as any form is: the page that answers has
// the product that was wanted, and lets the customer choose which one it replaces.
import { publish, sendForm, sendPlain } from "./state.js";

class Compare extends HTMLElement {
  constructor() {
    super();
    this.addEventListener("submit", (event) => this.send(event));
  }

  async send(event) {
    const form = event.target;
    event.preventDefault();
    if (this.busy) return;
    this.busy = true;
    const answer = await sendForm(form, this.querySelector(".ty-add-status a").href);
    this.busy = false;
    if (!answer) return;
    if (!answer.ok) {
      sendPlain(form);
      return;
    }
    this.say(answer.message);
    publish(answer.state);
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
