// Shows a panel with data-ty-when="field" only while that field has one of the values of data-ty-is. A name that begins
// with a dash is one of the same question. Without scripts all panels are shown, and the server says what is missing.

function find(form, panel) {
  const name = panel.dataset.tyWhen;
  if (!name.startsWith("-")) return form.elements[name];
  return panel.closest("[data-inline-panel-child]")?.querySelector(`[name$="${name}"]`);
}

function update(form) {
  for (const panel of form.querySelectorAll("[data-ty-when]")) {
    const field = find(form, panel);
    // A field with a message is never hidden.
    const isWrong = panel.querySelector(".w-field__errors > *, [aria-invalid='true']");
    if (field) panel.hidden = !isWrong && !panel.dataset.tyIs.split(" ").includes(field.value);
  }
}

for (const form of document.querySelectorAll("form")) {
  if (!form.querySelector("[data-ty-when]")) continue;
  form.addEventListener("change", () => update(form));
  // A question that was added brings its own panels.
  new MutationObserver(() => update(form)).observe(form, { childList: true, subtree: true });
  update(form);
}
