// <ty-add-to-cart> around an add-to-cart form sends it without leaving the page and says what happened in the live
// region that the form brings. Without it, or without an answer, the form is sent as any form is.
import { publish, sendForm } from "./state.js";

class AddToCart extends HTMLElement {
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
    this.say(answer.message, answer.ok);
    publish(answer.state);
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
