// <ty-save data-url="…/lists/state/"> around the form of a heart: pressed if the product is saved, as the one state
// request of the page says; another press takes it off. On a card, where nothing is chosen, it is pressed for whatever the
// product was saved in. Without it, or without an answer, the form is sent as any form is, and saves.
import { publish, sendForm, subscribe } from "./state.js";

class Save extends HTMLElement {
  constructor() {
    super();
    // On a picture, the message goes when the customer goes on.
    this.addEventListener("focusout", ({ relatedTarget }) => {
      if (!this.contains(relatedTarget) && !this.querySelector(".ty-heart-labelled")) this.say("", false);
    });
    this.send = this.send.bind(this);
  }

  connectedCallback() {
    this.form = this.querySelector("form");
    this.fields = this.form.elements;
    this.button = this.querySelector("button");
    const { product_ref, options } = this.fields;
    // What the customer chooses in the form that adds this product to the cart is what is saved.
    this.choice = [...document.querySelectorAll(".ty-add select[name=options]")].find(
      (select) => select.form.elements.product_ref?.value === product_ref.value,
    );
    this.own ??= options.value;
    this.choose = () => {
      if (this.choice) options.value = this.choice.value;
      this.show();
    };
    this.choice?.addEventListener("change", this.choose);
    this.form.addEventListener("submit", this.send);
    this.stop = subscribe(this.dataset.url, (state) => {
      this.saved = state.saved ?? [];
      this.choose();
    });
  }

  disconnectedCallback() {
    this.stop();
    this.form.removeEventListener("submit", this.send);
    this.choice?.removeEventListener("change", this.choose);
  }

  show() {
    if (!this.saved) return;
    const { product_ref, options, action } = this.fields;
    const kept = this.saved.filter(([ref]) => ref === product_ref.value).map(([, option]) => option);
    if (!this.choice) options.value = this.own || kept.includes("") ? this.own : (kept[0] ?? "");
    const pressed = kept.includes(options.value);
    this.button.setAttribute("aria-pressed", String(pressed));
    action.value = pressed ? "remove" : "add";
  }

  async send(event) {
    event.preventDefault();
    if (this.busy) return;
    this.busy = true;
    const isAdding = this.fields.action.value === "add";
    const answer = await sendForm(this.form, this.querySelector(".ty-add-status a").href);
    this.busy = false;
    if (!answer) return;
    this.say(answer.message, answer.ok && isAdding);
    publish(answer.state);
  }

  say(message, isSaved) {
    // The message of the page without scripts would say the same a second time.
    this.querySelector(".ty-added")?.remove();
    const status = this.querySelector(".ty-add-status");
    status.querySelector("[data-text]").textContent = message;
    status.querySelector("a").hidden = !isSaved;
  }
}

if (!customElements.get("ty-save")) customElements.define("ty-save", Save);
