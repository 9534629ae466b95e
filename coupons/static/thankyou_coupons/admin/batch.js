// <ty-batch work="address">: asks for one piece after the other, and shows how far the batch is. Without this script the
// button "Go on" does the same.

const PAUSE = 1000;
/** Spoken at most this often: the status is read aloud at each change. */
const SAID_EVERY = 10000;
const PATIENCE = 5;

class Batch extends HTMLElement {
  connectedCallback() {
    this.address = this.getAttribute("work");
    if (!this.address) return;
    this.token = this.querySelector("[name=csrfmiddlewaretoken]").value;
    this.said = -Infinity;
    this.failures = 0;
    this.show("[data-go-on]", false);
    this.show("[data-working]", true);
    this.turn();
  }

  disconnectedCallback() {
    clearTimeout(this.timer);
  }

  show(selector, is_shown) {
    for (const found of this.querySelectorAll(selector)) found.hidden = !is_shown;
  }

  async turn() {
    let answer;
    try {
      const headers = { Accept: "application/json", "X-CSRFToken": this.token };
      const response = await fetch(this.address, { method: "POST", headers, credentials: "same-origin" });
      if (!response.ok) throw new Error(response.status);
      answer = await response.json();
    } catch {
      this.failures += 1;
      if (this.failures < PATIENCE) this.again(PAUSE * 2 ** this.failures);
      else this.giveUp();
      return;
    }
    this.failures = 0;
    this.tell(answer);
    // The page has more to say about a batch that is done or was stopped.
    if (answer.open) this.again(PAUSE);
    else location.reload();
  }

  again(pause) {
    this.timer = setTimeout(() => this.turn(), pause);
  }

  tell({ made, quantity, text }) {
    const bar = this.querySelector("progress");
    bar.max = quantity;
    bar.value = made;
    if (performance.now() - this.said < SAID_EVERY) return;
    this.said = performance.now();
    this.querySelector(".ty-batch__said").textContent = text;
  }

  giveUp() {
    this.show("[data-working]", false);
    this.show("[data-broken]", true);
    this.show("[data-go-on]", true);
  }
}

customElements.define("ty-batch", Batch);
