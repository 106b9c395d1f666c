// Assemble map/lens_kernel.wat into map/lens_kernel.wasm: npm run wasm. A test holds the two against each other.
import { readFile, writeFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import wabt from "wabt";

const SOURCE = new URL("map/lens_kernel.wat", import.meta.url);

/** @returns {Promise<Uint8Array>} the module of the source. */
export async function assemble() {
  const assembler = await wabt();
  const source = assembler.parseWat("lens_kernel.wat", await readFile(SOURCE, "utf8"), { simd: true });
  return source.toBinary({}).buffer;
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  await writeFile(new URL("map/lens_kernel.wasm", import.meta.url), await assemble());
}
