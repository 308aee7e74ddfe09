// Fails when the committed bundle is not what the sources give, is too big, or lacks a licence.
import { execFileSync } from "node:child_process";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { gzipSync } from "node:zlib";

const MOST = 250 * 1024;
const here = dirname(fileURLToPath(import.meta.url));
const kept = join(here, "..", "src", "skriptoteket", "adapters", "web", "static");
const made = await mkdtemp(join(tmpdir(), "editor-"));
const wrong = [];
try {
  execFileSync(process.execPath, [join(here, "build.mjs"), made], { stdio: "inherit" });
  for (const name of ["editor.js", "editor.LICENSES.txt"]) {
    const [one, other] = await Promise.all([readFile(join(kept, name)), readFile(join(made, name))]);
    if (!one.equals(other)) wrong.push(`${name} is not what frontend/ gives: run \`just editor\` and commit it`);
  }
} finally {
  await rm(made, { recursive: true });
}
const size = gzipSync(await readFile(join(kept, "editor.js")), { level: 9 }).length;
if (size > MOST) wrong.push(`editor.js has ${size} bytes compressed; at most ${MOST}`);
console.log(wrong.join("\n") || `editor.js: the same bytes, ${size} bytes compressed, at most ${MOST}`);
process.exit(wrong.length ? 1 : 0);
