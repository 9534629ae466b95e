// The pure modules are loaded as text, so that any Node takes them for ES modules, whatever stands in a package.json above.
import { readFile } from "node:fs/promises";

const ROOT = new URL("../../", import.meta.url);

export async function load(name, folder = "thankyou_flows/static/thankyou_flows/") {
  const source = await readFile(new URL(folder + name, ROOT), "utf8");
  return import(`data:text/javascript,${encodeURIComponent(source)}`);
}
