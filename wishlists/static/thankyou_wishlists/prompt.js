// <ty-list-prompt> says what an earlier visit left on this device, or that a guest's things wait for a decision after a
// login. It comes with the state of the page (state.js), takes no focus, and is no dialog. The buttons are forms; without
// this script the same note stands on the pages of the lists.
import { post, publish, sendPlain, subscribe } from "./state.js";

class ListPrompt extends HTMLElement {
  constructor() {
    super();
    this.addEventListener("submit", (event) => this.send(event));
    this.addEventListener("click", (event) => event.target.closest("[data-close]") && this.close());
  }

  connectedCallback() {
    this.stop = subscribe(this.dataset.url, (state) => this.decide(state));
  }

  disconnectedCallback() {
    this.stop();
  }

  get note() {
    return this.querySelector("section");
  }

  decide(state) {
    // The page itself says it, or the customer is reading what became of it.
    if (this.answered || document.querySelector("[data-ty-left-note], .ty-ask-note")) return;
    const wanted = state.left > 0 ? "left" : state.ask ? "ask" : "";
    if (!wanted) {
      this.note?.remove();
      this.shown = "";
      return;
    }
    if (this.shown !== wanted) {
      this.note?.remove();
      this.append(this.querySelector(`template[data-${wanted}]`).content.cloneNode(true));
      this.comeBack();
      this.shown = wanted;
    }
    this.say(wanted === "left" ? ` ${state.left}` : "");
  }

  // The page itself does not know its address: it may name an order, and many addresses may share one cached page.
  comeBack() {
    const here = location.pathname;
    for (const field of this.note.querySelectorAll("[name=next]")) field.value = here;
    for (const link of this.note.querySelectorAll("[data-with-next]")) link.href += `?next=${encodeURIComponent(here)}`;
  }

  // The live region is there before its text, so that screen readers hear it.
  say(number) {
    const status = this.note.querySelector("[role=status]");
    const text = `${status.dataset.text}${number}`;
    requestAnimationFrame(() => {
      if (status.textContent !== text) status.textContent = text;
    });
  }

  async send(event) {
    const { target: form, submitter } = event;
    event.preventDefault();
    if (this.busy) return;
    this.busy = true;
    try {
      const body = new FormData(form);
      if (submitter?.name) body.set(submitter.name, submitter.value);
      const response = await post(form.getAttribute("action"), body);
      const { message, state, url } = await response.json();
      this.answered = true;
      publish(state);
      if (submitter?.value === "hush") this.close();
      else this.tell(message, url);
    } catch {
      this.submit(form, submitter);
    } finally {
      this.busy = false;
    }
  }

  submit(form, submitter) {
    // form.submit() sends no button; so its value goes as a field.
    const field = document.createElement("input");
    Object.assign(field, { type: "hidden", name: submitter?.name ?? "", value: submitter?.value ?? "" });
    form.append(field);
    sendPlain(form);
  }

  tell(message, url) {
    const status = this.note.querySelector("[role=status]");
    const result = this.note.querySelector("[data-result]");
    // The buttons go, and with them the focus: it stays in the note.
    const hadFocus = this.note.contains(document.activeElement);
    this.note.querySelector("[data-actions]").hidden = true;
    status.textContent = message;
    result.hidden = false;
    const go = result.querySelector("[data-go]");
    go.hidden = !url;
    if (url) go.href = url;
    if (hadFocus) this.focusOn(this.note);
  }

  close() {
    const hadFocus = this.contains(document.activeElement);
    this.note?.remove();
    this.shown = "";
    if (hadFocus) this.focusOn(this);
  }

  focusOn(element) {
    element.tabIndex = -1;
    element.focus({ preventScroll: true });
  }
}

if (!customElements.get("ty-list-prompt")) customElements.define("ty-list-prompt", ListPrompt);
