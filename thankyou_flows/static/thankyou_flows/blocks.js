// Blocks of the page are renewed from a page that the server has sent.

export async function parse(response) {
  return new DOMParser().parseFromString(await response.text(), "text/html");
}

/** Put the block `fresh`, from a page that was asked for at `askedAt`, in the place of `block`; return the new one. */
export function swap(block, fresh, askedAt) {
  for (const each of fresh.querySelectorAll("ty-countdown")) each.setAttribute("asked-at", askedAt);
  const node = document.adoptNode(fresh);
  block.replaceWith(node);
  return node;
}

/** Renew what may have changed with it: the other promises, and the narrow column. What somebody is using stays as it is. */
export function renewOthers(answer, done, askedAt) {
  for (const block of document.querySelectorAll(".ty-block[id]")) {
    if (block === done || !(block.closest(".ty-aside") || block.querySelector("[data-ty-live]"))) continue;
    const fresh = answer.getElementById(block.id);
    if (fresh && !isInUse(block) && !block.isEqualNode(fresh)) swap(block, fresh, askedAt);
  }
}

function isInUse(block) {
  return block.contains(document.activeElement) || [...block.querySelectorAll("input, textarea, select")].some(isChanged);
}

function isChanged(field) {
  if (field.options) return [...field.options].some((each) => each.selected !== each.defaultSelected);
  return field.value !== field.defaultValue || field.checked !== field.defaultChecked;
}

/** Give the focus to something that cannot take it by itself. */
export function focusOn(element) {
  element.tabIndex = -1;
  element.focus();
}
