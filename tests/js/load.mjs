// The pure modules are loaded as text, so that any Node takes them for ES modules, whatever stands in a package.json above.
import { readFile } from "node:fs/promises";

const FOLDER = new URL("../../thankyou_flows/static/thankyou_flows/", import.meta.url);

export async function load(name) {
  const source = await readFile(new URL(name, FOLDER), "utf8");
  return import(`data:text/javascript,${encodeURIComponent(source)}`);
}
