// <ty-recently-viewed> shows the last products that this visitor looked at, and the switch that remembering takes.
// Whether it is on comes with the one request for the page's state: counts.recent is above zero. Then, and only then, a
// page that names its product by <ty-viewed data-product-ref="…" data-options="…"> has it remembered.
import { post, publish, subscribe } from "./state.js";

class RecentlyViewed extends HTMLElement {
  connectedCallback() {
    this.box = this.querySelector("[data-switch]");
    this.box.addEventListener("change", () => this.turn(this.box.checked));
    this.stop = subscribe(this.dataset.stateUrl, (state) => this.take((state.counts.recent ?? 0) > 0));
  }

  disconnectedCallback() {
    this.stop();
  }

  // The product of this page, if there is one.
  get viewed() {
    return document.querySelector("ty-viewed")?.dataset;
  }

  take(isOn) {
    if (this.busy || isOn === this.isOn) return;
    this.isOn = this.box.checked = isOn;
    // Turning it on needs a product to begin with.
    this.hidden = !isOn && !this.viewed;
    if (!isOn) this.show([]);
    else if (this.viewed) this.post("view");
    else this.load();
  }

  async turn(isOn) {
    const said = await this.post(isOn ? "on" : "off");
    this.querySelector(".ty-recent-status").textContent = said;
  }

  // Returns what the shop has to say about it.
  async post(action) {
    this.busy = true;
    const body = new FormData();
    body.set("action", action);
    if (this.viewed && action !== "off") {
      body.set("product_ref", this.viewed.productRef);
      body.set("options", this.viewed.options);
    }
    try {
      const response = await post(this.dataset.changeUrl, body);
      const { message, products, state } = await response.json();
      this.isOn = this.box.checked = (state.counts.recent ?? 0) > 0;
      if (products) this.show(products);
      publish(state);
      return message;
    } catch {
      // No network: what was, stays.
      this.box.checked = this.isOn;
      return "";
    } finally {
      this.busy = false;
    }
  }

  async load() {
    try {
      const response = await fetch(this.dataset.url, { headers: { Accept: "application/json" } });
      if (response.ok) this.show((await response.json()).products);
    } catch {
      // No network, no pictures.
    }
  }

  show(products) {
    const list = this.querySelector(".ty-recent-products");
    list.replaceChildren(...products.slice(0, 6).map((product) => this.item(product)));
    list.hidden = !products.length;
    this.querySelector("[data-all]").hidden = !this.isOn;
  }

  item(product) {
    const item = this.querySelector("template").content.cloneNode(true);
    const link = item.querySelector("[data-url]");
    if (product.url) link.href = product.url;
    const image = item.querySelector("[data-image]");
    if (product.image_url) {
      image.src = product.image_url;
      image.alt = product.image_alt;
    } else image.remove();
    for (const name of ["title", "price", "problem"]) item.querySelector(`[data-${name}]`).textContent = product[name];
    return item;
  }
}

if (!customElements.get("ty-recently-viewed")) customElements.define("ty-recently-viewed", RecentlyViewed);
