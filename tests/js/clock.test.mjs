// The countdown's arithmetic: what is shown never exceeds the truth (CD-1, CD-2). Run: node --test tests/js/*.test.mjs
import assert from "node:assert/strict";
import test from "node:test";
import { load } from "./load.mjs";

const { describe, isAdrift, milestone, part, timeLeft, untilChange } = await load("clock.js");

const SECOND = 1000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;
const TEXTS = { hours: "{h} h {n} min", wholeHours: "{h} h", minutes: "{n} min", seconds: "{n} s" };

/** A random number that is the same in every run. */
function dice(seed) {
  let state = seed;
  return (below) => {
    state = (state * 1664525 + 1013904223) % 2 ** 32;
    return (state / 2 ** 32) * below;
  };
}

/** How much time a text claims at least. */
function claimed(text) {
  const [, hours = 0, rest = 0, unit] = /^(?:(\d+) h)?(?: ?(\d+) (min|s))?$/.exec(text);
  return Number(hours) * HOUR + Number(rest) * (unit === "min" ? MINUTE : SECOND);
}

test("CD-2: whatever the network does, what is shown never exceeds the truth", () => {
  const random = dice(1);
  for (let n = 0; n < 20_000; n++) {
    const endsAt = 1e12 + random(20 * HOUR);
    const serverAnswers = 1e12 + random(20 * HOUR);
    const there = random(30 * SECOND);
    const back = random(30 * SECOND);
    const later = random(20 * HOUR);
    // On the browser's steady clock: asked at 5000, answered `there` later, looked at `back + later` after that.
    const clock = { endsAt, serverNow: serverAnswers, askedAt: 5000 };
    const left = timeLeft(clock, 5000 + there + back + later);
    const truth = Math.max(0, endsAt - (serverAnswers + back + later));
    assert.ok(left <= truth, `${left} > ${truth}`);
    assert.ok(truth - left <= there + 1, "and is not far below it");
    assert.ok(claimed(describe(left, TEXTS)) <= truth);
  }
});

test("CD-1: the visitor's own clock plays no part", () => {
  const clock = { endsAt: 10 * MINUTE, serverNow: 0, askedAt: 0 };
  const real = Date.now;
  try {
    Date.now = () => real() + 3 * 24 * HOUR;
    assert.equal(timeLeft(clock, MINUTE), 9 * MINUTE);
    Date.now = () => real() - 3 * 24 * HOUR;
    assert.equal(timeLeft(clock, MINUTE), 9 * MINUTE);
  } finally {
    Date.now = real;
  }
});

test("the time never goes below zero, and never up while the clock runs", () => {
  const clock = { endsAt: 90 * SECOND, serverNow: 0, askedAt: 0 };
  let before = Infinity;
  for (let now = 0; now < 200 * SECOND; now += 777) {
    const left = timeLeft(clock, now);
    assert.ok(left >= 0 && left <= before);
    before = left;
  }
  assert.equal(before, 0);
});

test("without times there is no number", () => {
  assert.ok(Number.isNaN(timeLeft({ endsAt: NaN, serverNow: 0, askedAt: 0 }, 0)));
});

test("whole minutes, rounded down; seconds in the last minute", () => {
  const expected = [
    [2 * HOUR + 5 * MINUTE + 59 * SECOND, "2 h 5 min"],
    [2 * HOUR, "2 h"],
    [2 * HOUR - 1, "1 h 59 min"],
    [HOUR, "1 h"],
    [HOUR - 1, "59 min"],
    [2 * MINUTE - 1, "1 min"],
    [MINUTE, "1 min"],
    [MINUTE - 1, "59 s"],
    [SECOND, "1 s"],
    [SECOND - 1, "0 s"],
    [0, "0 s"],
  ];
  for (const [left, text] of expected) assert.equal(describe(left, TEXTS), text);
});

test("AX-1: the text stays until untilChange() and is another one then", () => {
  const random = dice(2);
  for (let n = 0; n < 20_000; n++) {
    const left = Math.floor(random(n % 2 ? 3 * HOUR : 2 * MINUTE)) + 2;
    const wait = untilChange(left);
    assert.ok(wait > 0 && wait <= MINUTE + 1);
    if (wait > left) continue;
    assert.notEqual(describe(left - wait, TEXTS), describe(left, TEXTS));
    assert.equal(describe(left - wait + 1, TEXTS), describe(left, TEXTS));
  }
});

test("AX-1: between ten minutes and the end there are four announcements, not more", () => {
  const said = [];
  let before = 11 * MINUTE;
  while (before > 0) {
    const after = Math.max(0, before - 900);
    const passed = milestone(before, after);
    if (passed !== null) said.push(passed);
    before = after;
  }
  assert.deepEqual(said, [10, 5, 1, 0]);
});

test("after a sleep only the last milestone is said, and none at the start", () => {
  assert.equal(milestone(30 * MINUTE, 3 * MINUTE), 5);
  assert.equal(milestone(30 * MINUTE, 0), 0);
  assert.equal(milestone(4 * MINUTE, 4 * MINUTE), null);
  assert.equal(milestone(4 * MINUTE, 7 * MINUTE), null);
});

test("the bar is a part of the whole, whatever it is given", () => {
  assert.equal(part(30, 60), 0.5);
  assert.equal(part(90, 60), 1);
  assert.equal(part(30, 0), 0);
  assert.equal(part(30, NaN), 0);
});

test("CD-1: a sleep or a clock that was set is noticed, the ordinary passing of time is not", () => {
  const seen = { steady: 1000, wall: 1e12 };
  assert.equal(isAdrift(seen, { steady: 61_000, wall: 1e12 + 60_000 }), false);
  assert.equal(isAdrift(seen, { steady: 61_000, wall: 1e12 + 60_500 }), false);
  // The steady clock stood still while the machine slept.
  assert.equal(isAdrift(seen, { steady: 2000, wall: 1e12 + HOUR }), true);
  assert.equal(isAdrift(seen, { steady: 2000, wall: 1e12 - 24 * HOUR }), true);
});
