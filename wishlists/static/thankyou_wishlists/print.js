// <ty-print hidden> around a button shows it: without a script, the browser's own menu prints the page.
class Print extends HTMLElement {
  connectedCallback() {
    this.hidden = false;
    this.addEventListener("click", (event) => event.target.closest("button") && window.print());
  }
}

if (!customElements.get("ty-print")) customElements.define("ty-print", Print);
