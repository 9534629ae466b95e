// Copies the text of a field, and says whether it worked. Without this the field can be copied by hand.
class Copy extends HTMLElement {
  connectedCallback() {
    const field = document.getElementById(this.dataset.from);
    const status = this.querySelector("[role=status]");
    if (!field || !status) return;
    this.hidden = false;
    this.querySelector("button")?.addEventListener("click", async () => {
      try {
        await navigator.clipboard.writeText(field.value);
        status.textContent = status.dataset.copied;
      } catch {
        field.select();
        status.textContent = status.dataset.failed;
      }
    });
  }
}

customElements.define("ty-copy", Copy);
