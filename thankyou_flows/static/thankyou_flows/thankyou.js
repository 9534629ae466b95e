// What scripts add to a thank-you page. Without any of it, everything works by plain forms and links.
import "./copy.js";
import "./countdown.js";
import { listen } from "./actions.js";

listen();

// Nobody sees an order by the back button that this browser may not see any more (TY-11).
window.addEventListener("pageshow", (event) => {
  if (event.persisted && document.querySelector("[data-ty-order]")) location.reload();
});
