// Copies the text of a field, and says whether it worked. Without this the field can be copied by hand.
class Copy extends HTMLElement {
  constructor() {
    super();
    this.addEventListener("click", (event) => event.target.closest("button") && this.copy());
  }

  get field() {
    return document.getElementById(this.dataset.from);
  }

  get status() {
    return this.querySelector("[role=status]");
  }

  connectedCallback() {
    if (this.field && this.status) this.hidden = false;
  }

  async copy() {
    const { field, status } = this;
    try {
      await navigator.clipboard.writeText(field.value);
      status.textContent = status.dataset.copied;
    } catch {
      field.select();
      status.textContent = status.dataset.failed;
    }
  }
}

if (!customElements.get("ty-copy")) customElements.define("ty-copy", Copy);
