// How the scripts of a page take turns: a guest's list is a cookie, so no POST may leave with an old one (CK-1).
import assert from "node:assert/strict";
import test from "node:test";
import { load } from "./load.mjs";

globalThis.document = new EventTarget();
globalThis.window = new EventTarget();
const { post, refresh, subscribe } = await load("state.js", "wishlists/static/thankyou_wishlists/");

/** A network on which nothing is answered until the test says so. */
function network() {
  const requests = [];
  globalThis.fetch = (url, { method = "GET" }) =>
    new Promise((answer, fail) => requests.push({ text: `${method} ${url}`, answer, fail }));
  return requests;
}

const tick = () => new Promise((resolve) => setImmediate(resolve));
const texts = (requests) => requests.map(({ text }) => text);
const STATE = { counts: { saved: 3 } };

test("a POST leaves when the one before is answered, or has failed", async () => {
  const requests = network();
  const all = Promise.allSettled(["/a", "/b", "/c"].map((url) => post(url, "")));
  await tick();
  assert.deepEqual(texts(requests), ["POST /a"]);
  requests[0].fail(new TypeError("no network"));
  await tick();
  assert.deepEqual(texts(requests), ["POST /a", "POST /b"]);
  requests[1].answer("second");
  await tick();
  requests[2].answer("third");
  assert.deepEqual((await all).map(({ value }) => value), [undefined, "second", "third"]);
});

test("one without an answer does not hold up the others for ever", async (t) => {
  t.mock.timers.enable({ apis: ["setTimeout"] });
  const requests = network();
  const all = [post("/stuck", ""), post("/next", "")];
  await tick();
  t.mock.timers.tick(9_999);
  await tick();
  assert.deepEqual(texts(requests), ["POST /stuck"]);
  t.mock.timers.tick(1);
  await tick();
  assert.deepEqual(texts(requests), ["POST /stuck", "POST /next"]);
  for (const request of requests) request.answer();
  await Promise.all(all);
});

test("the state is asked for after what is on its way", async () => {
  const requests = network();
  const posted = post("/a", "");
  const seen = [];
  subscribe("/state/", (state) => seen.push(state));
  refresh();
  await tick();
  assert.deepEqual(texts(requests), ["POST /a"]);
  requests[0].answer();
  await posted;
  await tick();
  assert.deepEqual(texts(requests), ["POST /a", "GET /state/"]);
  requests[1].answer({ ok: true, json: () => STATE });
  await tick();
  assert.deepEqual(seen, [STATE]);
});
