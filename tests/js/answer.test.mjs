// What becomes of a form's answer. Run: node --test tests/js/*.test.mjs
import assert from "node:assert/strict";
import test from "node:test";
import { load } from "./load.mjs";

const { verdict } = await load("answer.js");

const PAGE = "https://shop.example/thanks/order/1/";
const GOOD = {
  status: 200,
  redirected: true,
  url: `${PAGE}?done=abc`,
  type: "text/html; charset=utf-8",
  page: `${PAGE}?x=1#block-2`,
  hasBlock: true,
};

test("an answer that leads back to the page is shown in place", () => {
  assert.equal(verdict(GOOD), "stay");
});

test("a form with errors is shown in place, at whatever address it came", () => {
  const answer = { ...GOOD, status: 422, redirected: false, url: "https://shop.example/thanks/act/1/2/" };
  assert.equal(verdict(answer), "stay");
  assert.equal(verdict({ ...answer, hasBlock: false }), "submit");
});

test("another page, another site, or a page that lost the block is gone to", () => {
  assert.equal(verdict({ ...GOOD, url: "https://shop.example/cart/" }), "go");
  assert.equal(verdict({ ...GOOD, url: "https://other.example/thanks/order/1/" }), "go");
  assert.equal(verdict({ ...GOOD, hasBlock: false }), "go");
});

test("everything else is left to the browser", () => {
  for (const status of [400, 403, 404, 429, 500, 503]) assert.equal(verdict({ ...GOOD, status }), "submit");
  assert.equal(verdict({ ...GOOD, redirected: false }), "submit");
  assert.equal(verdict({ ...GOOD, type: "application/json" }), "submit");
  assert.equal(verdict({ ...GOOD, type: null }), "submit");
});
