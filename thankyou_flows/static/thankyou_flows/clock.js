// The time that is left, as pure functions: no page, and no clock of its own. All times are milliseconds.

const SECOND = 1000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;

/** When a person who cannot see the clock is told: few times, and at the end (AX-1). */
const MILESTONES = [0, MINUTE, 5 * MINUTE, 10 * MINUTE];

/**
 * What is left at `now`, a time of performance.now(). The server said `serverNow` in answer to something that was asked at
 * `askedAt`; it said so later than that, so the result is never more than the truth (CD-1, CD-2).
 */
export function timeLeft({ endsAt, serverNow, askedAt }, now) {
  return Math.max(0, endsAt - serverNow - Math.max(0, now - askedAt));
}

/** Write it, rounded down: whole minutes, and seconds in the last minute. `texts` holds hours, wholeHours, minutes, seconds. */
export function describe(left, texts) {
  const hours = Math.floor(left / HOUR);
  const minutes = Math.floor((left % HOUR) / MINUTE);
  if (hours) return fill(minutes ? texts.hours : texts.wholeHours, hours, minutes);
  return minutes ? fill(texts.minutes, 0, minutes) : fill(texts.seconds, 0, Math.floor(left / SECOND));
}

function fill(text, hours, rest) {
  return text.replace("{h}", hours).replace("{n}", rest);
}

/** How long what describe() says stays true. */
export function untilChange(left) {
  return (left % (left < MINUTE ? SECOND : MINUTE)) + 1;
}

/** Which part of the whole time is left, from 0 to 1. */
export function part(left, whole) {
  return whole > 0 ? Math.min(1, Math.max(0, left / whole)) : 0;
}

/** The milestone in minutes that was passed on the way from `before` to `after`; the last one of several; else null. */
export function milestone(before, after) {
  const passed = MILESTONES.find((each) => after <= each && each < before);
  return passed === undefined ? null : passed / MINUTE;
}

/**
 * Whether the machine slept, or somebody set its clock, since `seen`: the two clocks went apart. A reason to ask the server
 * again, never a measure of time.
 */
export function isAdrift(seen, { steady, wall }) {
  return Math.abs(wall - seen.wall - (steady - seen.steady)) > 2 * SECOND;
}
