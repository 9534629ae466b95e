// Forms of blocks are sent without leaving the page: form[data-ty-action] inside a .ty-block with an id. Whatever goes wrong,
// the form is sent as any form is.
import { verdict } from "./answer.js";
import { focusOn, parse, renewOthers, swap } from "./blocks.js";
import { say } from "./status.js";

const busy = new WeakSet();
const plain = new WeakSet();

export function listen() {
  document.addEventListener("submit", onSubmit);
}

async function onSubmit(event) {
  const { target: form, submitter: button } = event;
  const block = form.closest(".ty-block[id]");
  if (event.defaultPrevented || !block || !form.matches("[data-ty-action]") || plain.has(form)) return;
  event.preventDefault();
  if (busy.has(block)) return;
  busy.add(block);
  block.setAttribute("aria-busy", "true");
  if (!(await send(form, button, block).catch(() => false))) {
    plain.add(form);
    form.requestSubmit(button);
  }
}

async function send(form, button, block) {
  const askedAt = performance.now();
  const data = new FormData(form);
  if (button?.name) data.append(button.name, button.value);
  const response = await fetch(form.getAttribute("action"), { method: "POST", body: data, headers: { Accept: "text/html" } });
  const answer = await parse(response);
  const fresh = answer.getElementById(block.id);
  const { status, redirected, url } = response;
  const type = response.headers.get("content-type");
  const next = verdict({ status, redirected, url, type, page: location.href, hasBlock: Boolean(fresh) });
  if (next === "submit") return false;
  if (next === "go") go(url, block);
  else show(form, block, fresh, answer, askedAt);
  return true;
}

function go(url, block) {
  // The back button may bring this very page again.
  window.addEventListener("pagehide", () => busy.delete(block), { once: true });
  if (url === location.href.split("#")[0]) location.reload();
  else location.assign(url);
}

function show(form, block, fresh, answer, askedAt) {
  // Somebody who has gone on to something else is not called back.
  const takesFocus = block.contains(document.activeElement) || document.activeElement === document.body;
  const node = swap(block, fresh, askedAt);
  renewOthers(answer, node, askedAt);
  const note = node.querySelector('[role="status"]');
  const text = note?.textContent.trim();
  const invalid = node.querySelector('[aria-invalid="true"]');
  const again = sameForm(form, node)?.querySelector('[type="submit"]:not(:disabled)');
  if (takesFocus && invalid) invalid.focus();
  else if (takesFocus && !again) focusOn(text ? note : node);
  else {
    if (takesFocus) again.focus();
    // It would be read twice: here and in the page's own region.
    note?.removeAttribute("role");
    say(text);
  }
}

/** Find the form that does the same. */
function sameForm(form, node) {
  return [...node.querySelectorAll("form[data-ty-action]")].find((each) => command(each) === command(form));
}

function command(form) {
  return form.elements.namedItem("command")?.value;
}
