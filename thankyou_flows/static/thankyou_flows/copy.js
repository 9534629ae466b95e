// <ty-copy text="…" label="Copy" done="Copied"> is a button that copies, and says so when it has.
import { say } from "./status.js";

const SHOWN = 2500;

class Copy extends HTMLElement {
  connectedCallback() {
    if (this.button) return;
    this.button = document.createElement("button");
    this.button.type = "button";
    this.button.className = "ty-link-button";
    // Both words keep their place, so that nothing moves when they change.
    for (const name of ["label", "done"]) {
      const word = document.createElement("span");
      word.textContent = this.getAttribute(name);
      this.button.append(word);
    }
    this.button.addEventListener("click", () => this.copy());
    this.append(this.button);
  }

  disconnectedCallback() {
    clearTimeout(this.timer);
  }

  async copy() {
    if (!(await this.write())) return;
    this.toggleAttribute("copied", true);
    say(this.getAttribute("done"));
    clearTimeout(this.timer);
    this.timer = setTimeout(() => this.removeAttribute("copied"), SHOWN);
  }

  async write() {
    try {
      await navigator.clipboard.writeText(this.getAttribute("text"));
      return true;
    } catch {
      return this.select() && document.execCommand("copy");
    }
  }

  /** Mark the code beside the button: where nothing else works, it can be copied by hand. */
  select() {
    const code = this.parentElement.querySelector("code");
    if (code) getSelection().selectAllChildren(code);
    return Boolean(code);
  }
}

if (!customElements.get("ty-copy")) customElements.define("ty-copy", Copy);
