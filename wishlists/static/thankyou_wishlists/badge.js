// <ty-cart-badge data-url="…/lists/state/" data-label="pieces:"> shows how many pieces are in the cart. It asks by a
// small request of its own, so that the page around it can be cached. Without it the link beside it still works.
class CartBadge extends HTMLElement {
  connectedCallback() {
    this.controller = new AbortController();
    const { signal } = this.controller;
    // Sent by the add form; carries the new number, so no second request is needed.
    document.addEventListener("ty-cart-changed", (event) => this.show(event.detail.count), { signal });
    // A page that comes back by the back button still holds the old number.
    window.addEventListener("pageshow", (event) => event.persisted && this.load(), { signal });
    this.load();
  }

  disconnectedCallback() {
    this.controller.abort();
  }

  async load() {
    try {
      const response = await fetch(this.dataset.url, { headers: { Accept: "application/json" }, signal: this.controller.signal });
      if (response.ok) this.show((await response.json()).counts.cart);
    } catch {
      // No network, no number: the link still works.
    }
  }

  show(count) {
    const label = document.createElement("span");
    label.className = "ty-visually-hidden";
    label.textContent = ` ${this.dataset.label ?? ""} `;
    this.replaceChildren(...(count ? [label, String(count)] : []));
  }
}

if (!customElements.get("ty-cart-badge")) customElements.define("ty-cart-badge", CartBadge);
