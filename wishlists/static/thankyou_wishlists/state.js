// What the badges, hearts and the note of a page show, from one small request that all of them share (CK-7).
//
//   import { subscribe, refresh, publish } from "./state.js";
//
//   const stop = subscribe(url, (state) => …)  calls back now if the state is known, and at every change; the first
//                                              subscriber's url (`thankyou_wishlists:state`) is asked, once a page
//   refresh()                                  asks again, for example after the back button
//   post(action, body)                         sends a POST as fetch and returns the response: one after the other, because
//                                              a guest's list is a cookie, and each answer brings the whole of it
//   sendForm(form, page)                       sends a form so, and returns {ok, state, message} of the answer; null if the
//                                              browser goes on to another page instead
//   sendPlain(form)                            leaves the page with a form, after what others have still to send
//   publish(state)                             after a POST: the "state" of its JSON answer; no request is made
//
// `state`: {counts: {cart: 3, saved: 1, …}, saved: [[product_ref, options], …], left: 0, ask: false}, as `state_of`
// answers it. A script of the shop that knows no modules may dispatch the event "ty-lists-changed" on document, with the
// state as its detail; publish() does the same. Without network nothing is called, and the links beside still work.

// One page may load this module under two addresses (with and without a hash of its content), so the state is shared by
// the document and not by the module.
const shared = (document[Symbol.for("thankyou-lists")] ??= {
  url: "",
  state: null,
  callbacks: new Set(),
  isAsking: false,
  isListening: false,
  sent: Promise.resolve(),
});

// Milliseconds until a POST that has no answer holds up the others no longer.
const PATIENCE = 10_000;

function take(state) {
  if (!state?.counts) return;
  shared.state = state;
  for (const callback of [...shared.callbacks]) callback(state);
}

export function publish(state) {
  document.dispatchEvent(new CustomEvent("ty-lists-changed", { detail: state }));
}

export async function post(action, body) {
  const before = shared.sent;
  let goOn;
  shared.sent = new Promise((resolve) => (goOn = resolve));
  await before;
  const timer = setTimeout(goOn, PATIENCE);
  try {
    // The cookies of an answer are there as soon as its head is.
    return await fetch(action, { method: "POST", body, headers: { Accept: "application/json" } });
  } finally {
    clearTimeout(timer);
    goOn();
  }
}

export async function sendPlain(form) {
  await shared.sent;
  form.submit();
}

export async function sendForm(form, page) {
  let response;
  try {
    response = await post(form.getAttribute("action"), new FormData(form));
  } catch {
    // No answer: it is sent as any form is.
    sendPlain(form);
    return null;
  }
  try {
    const { state, message } = await response.json();
    if (!state?.counts) throw new TypeError("not an answer of ours");
    return { ok: response.ok, state, message };
  } catch {
    // It was answered, by an error page or a proxy, and may have been done: sent again, it would be done twice.
    await shared.sent;
    location.assign(page);
    return null;
  }
}

export async function refresh() {
  if (shared.isAsking || !shared.url) return;
  shared.isAsking = true;
  // What is on its way now would make the answer old.
  await shared.sent;
  const before = shared.state;
  try {
    const response = await fetch(shared.url, { headers: { Accept: "application/json" }, credentials: "same-origin" });
    const state = response.ok ? await response.json() : null;
    // What a POST has said meanwhile is newer than what was asked for before it.
    if (shared.state === before) take(state);
  } catch {
    // No network, no number.
  } finally {
    shared.isAsking = false;
  }
}

export function subscribe(url, callback) {
  shared.url ||= url;
  shared.callbacks.add(callback);
  if (!shared.isListening) {
    shared.isListening = true;
    document.addEventListener("ty-lists-changed", (event) => take(event.detail));
    // A page that comes back by the back button still holds the old numbers.
    window.addEventListener("pageshow", (event) => event.persisted && refresh());
  }
  if (shared.state) callback(shared.state);
  else refresh();
  return () => shared.callbacks.delete(callback);
}
