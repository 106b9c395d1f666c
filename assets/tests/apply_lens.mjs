// Look at a file through lenses as the worker does, for the tests of the server: node apply_lens.mjs FILE REQUEST.
// REQUEST is a file with {"lenses": [...], "places": [[x, y], ...]}; the answer is JSON on standard output.
import { readFile } from "node:fs/promises";

await import("../map/lens_kernel.js");
await import("../map/lens_picture.js");
const { open, apply, similarity } = globalThis.EmberscopeKernel;
const { patchAt, corners } = globalThis.EmberscopePicture;

const [file, request] = process.argv.slice(2);
const { lenses, places, patches } = JSON.parse(await readFile(request, "utf8"));
const module = await WebAssembly.compile(await readFile(new URL("../map/lens_kernel.wasm", import.meta.url)));
const store = await open(new Uint8Array(await readFile(file)).buffer, module);
const steps = lenses.map((lens) => {
  const seen = lens.picked ? similarity(store, lens.picked, lens) : lens;
  const { bytes, stride } = apply(store, seen);
  const count = stride === 4 ? 3 : 1;
  return Array.from({ length: store.n * count }, (_, i) => bytes[Math.floor(i / count) * stride + (i % count)]);
});
console.log(JSON.stringify({
  steps,
  patches: (places ?? []).map(([x, y]) => patchAt(store, x, y)),
  corners: (patches ?? []).map((patch) => corners(store, patch)),
}));
