// <ty-print hidden> around a button shows it: without a script, the browser's own menu prints the page.
class Print extends HTMLElement {
  constructor() {
    super();
    this.addEventListener("click", (event) => event.target.closest("button") && window.print());
  }

  connectedCallback() {
    this.hidden = false;
  }
}

if (!customElements.get("ty-print")) customElements.define("ty-print", Print);
