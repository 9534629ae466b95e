// <ty-list-count data-kind="cart" data-url="…/lists/state/" data-label="pieces:"> shows how many things are on a list.
// The number comes by a small request of its own, so that the page around it can be cached. Without it the link beside it
// still works.
import { subscribe } from "./state.js";

class ListCount extends HTMLElement {
  connectedCallback() {
    this.stop = subscribe(this.dataset.url, (state) => this.show(state.counts[this.dataset.kind] ?? 0));
  }

  disconnectedCallback() {
    this.stop();
  }

  show(count) {
    const label = document.createElement("span");
    label.className = "ty-visually-hidden";
    label.textContent = ` ${this.dataset.label ?? ""} `;
    this.replaceChildren(...(count ? [label, String(count)] : []));
  }
}

if (!customElements.get("ty-list-count")) customElements.define("ty-list-count", ListCount);
