// The checkout works without this: buttons of the form bring the totals up to date. With it the summary follows the
// choices at once, and after an error the focus is where the errors are listed.
const form = document.getElementById("checkout");

async function update() {
  const data = new FormData(form);
  // Only what is typed but not sent yet could fail, and it stays in the field.
  data.set("code", "");
  data.set("action", "update");
  try {
    // Not form.action: that is the buttons of this name.
    const response = await fetch(form.getAttribute("action"), { method: "POST", body: data });
    if (!response.ok || response.redirected) throw new Error("no new summary");
    const page = new DOMParser().parseFromString(await response.text(), "text/html");
    const typed = document.getElementById("id_code").value;
    document.getElementById("summary").replaceWith(document.adoptNode(page.getElementById("summary")));
    document.getElementById("id_code").value = typed;
  } catch {
    form.requestSubmit(form.querySelector("button[value=update]"));
  }
}

if (form) {
  document.documentElement.classList.add("has-script");
  form.addEventListener("change", (event) => {
    if (event.target.matches("[data-updates-total]")) update();
  });
}

// After a step: to what it was about. Without errors the customer stays near the code and its new total.
const news = document.querySelector("#id_code[aria-invalid]") ?? document.getElementById("errors");
if (news) window.addEventListener("load", () => news.focus());
else if (document.getElementById("news")) document.getElementById("id_code").scrollIntoView({ block: "center" });
