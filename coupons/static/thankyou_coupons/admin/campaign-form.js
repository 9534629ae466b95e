// Shows a panel with data-ty-when="field" only while that field has one of the values of data-ty-is.
// Without scripts all panels are shown, and the server says what is missing.

function update(form) {
  for (const panel of form.querySelectorAll("[data-ty-when]")) {
    const field = form.elements[panel.dataset.tyWhen];
    // A field with a message is never hidden.
    const isWrong = panel.querySelector(".w-field__errors > *, [aria-invalid='true']");
    if (field) panel.hidden = !isWrong && !panel.dataset.tyIs.split(" ").includes(field.value);
  }
}

for (const form of document.querySelectorAll("form")) {
  if (!form.querySelector("[data-ty-when]")) continue;
  form.addEventListener("change", () => update(form));
  update(form);
}
