// What to do with the answer to a form, as a pure function.

/**
 * "stay": the answer holds the block as it is now. "go": it is another page, or the block is gone from this one.
 * "submit": this is nothing that we understand; let the browser send the form and show what comes.
 */
export function verdict({ status, redirected, url, type, page, hasBlock }) {
  if (!/^text\/html\b/i.test(type ?? "")) return "submit";
  if (status === 422) return hasBlock ? "stay" : "submit";
  if (status < 200 || status > 299 || !redirected) return "submit";
  const [there, here] = [new URL(url), new URL(page)];
  return there.origin === here.origin && there.pathname === here.pathname && hasBlock ? "stay" : "go";
}
