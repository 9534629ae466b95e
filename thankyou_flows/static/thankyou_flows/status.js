// One polite live region for the page (AX-4). It is there as soon as this module runs, long before there is something to say.

const region = document.createElement("p");
region.className = "ty-visually-hidden";
region.setAttribute("role", "status");
document.body.append(region);

export function say(text) {
  if (!text) return;
  if (region.textContent !== text) {
    region.textContent = text;
    return;
  }
  // The same words twice are news twice.
  region.textContent = "";
  setTimeout(() => (region.textContent = text), 100);
}
