// <ty-boxes>: a field to find one of many boxes by its name. Without scripts the boxes are all there is to scroll.

const SHORT = 12; // so few need no search
const WAIT = 250; // milliseconds after the last key

class Boxes extends HTMLElement {
  connectedCallback() {
    this.list = this.querySelector(":scope > div");
    const example = this.list?.querySelector("input");
    if (!example || (this.rows().length <= SHORT && !this.dataset.search)) return;
    this.input = document.createElement("input");
    this.input.type = "search";
    this.input.autocomplete = "off";
    this.input.placeholder = this.dataset.find;
    this.input.setAttribute("aria-label", `${this.dataset.find}: ${this.getAttribute("aria-label")}`);
    this.input.addEventListener("input", (event) => {
      event.stopPropagation();
      this.filter();
      clearTimeout(this.timer);
      if (this.dataset.search) this.timer = setTimeout(() => this.ask(), WAIT);
    });
    // Enter would send the whole form.
    this.input.addEventListener("keydown", (event) => event.key === "Enter" && event.preventDefault());
    const frame = document.createElement("div");
    frame.className = "ty-boxes__find";
    frame.append(this.input);
    this.none = document.createElement("p");
    this.none.className = "ty-boxes__none";
    this.none.setAttribute("role", "status");
    this.prepend(frame);
    this.append(this.none);
    this.chosenFirst();
  }

  rows() {
    return [...this.list.querySelectorAll("label")];
  }

  /** What is chosen is seen without scrolling. */
  chosenFirst() {
    for (const label of this.rows().reverse()) {
      if (label.querySelector("input").checked) this.list.prepend(label.closest("div") ?? label);
    }
  }

  filter() {
    const words = this.input.value.trim().toLocaleLowerCase().split(/\s+/).filter(Boolean);
    let seen = 0;
    for (const label of this.rows()) {
      const text = label.textContent.toLocaleLowerCase();
      const fits = words.every((word) => text.includes(word));
      (label.parentElement === this.list ? label : label.parentElement).hidden = !fits;
      seen += fits;
    }
    this.none.textContent = seen ? "" : this.dataset.none;
  }

  /** Ask the shop for products that were not listed. */
  async ask() {
    const text = this.input.value.trim();
    if (text.length < 2) return;
    const url = new URL(this.dataset.search, location.href);
    url.searchParams.set("q", text);
    let found;
    try {
      const answer = await fetch(url, { headers: { Accept: "application/json" } });
      if (!answer.ok) return;
      found = (await answer.json()).products;
    } catch {
      return; // What is listed can be chosen all the same.
    }
    if (text !== this.input.value.trim()) return;
    const known = new Set([...this.list.querySelectorAll("input")].map((input) => input.value));
    for (const { ref, title } of found) if (!known.has(ref)) this.add(ref, title);
    this.filter();
  }

  add(ref, title) {
    const row = this.list.querySelector("label").parentElement.cloneNode(true);
    const input = row.querySelector("input");
    const label = row.querySelector("label");
    input.value = ref;
    input.checked = false;
    input.id = `${input.id}-${this.rows().length}`;
    label.htmlFor = input.id;
    label.replaceChildren(input, ` ${title}`);
    this.list.append(row);
  }
}

customElements.define("ty-boxes", Boxes);
