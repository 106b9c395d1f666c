// Rules for the scripts and style sheets that a browser loads from us, and for their tests.
import css from "@eslint/css";
import js from "@eslint/js";

const browser = [
  "BroadcastChannel", "Image", "ImageData", "L", "TextDecoder", "URL", "URLSearchParams", "WebAssembly", "Worker", "clearTimeout",
  "console", "document", "fetch", "globalThis", "importScripts", "parent", "performance", "self", "sessionStorage",
  "setInterval", "setTimeout",
];
const page = ["Element", "Event", "MutationObserver", "clearTimeout", "document", "setTimeout"];
const strict = {
  curly: "error",
  eqeqeq: "error",
  "no-implicit-globals": "error",
  "no-shadow": "error",
  "no-var": "error",
  "object-shorthand": "error",
  "prefer-const": "error",
  "prefer-template": "error",
};

export default [
  { ignores: ["static/", "node_modules/"] },
  {
    files: ["map/**/*.js"],
    languageOptions: { sourceType: "script", globals: Object.fromEntries(browser.map((name) => [name, "readonly"])) },
    rules: { ...js.configs.recommended.rules, ...strict, strict: ["error", "global"] },
  },
  {
    files: ["page/**/*.js"],
    languageOptions: { sourceType: "script", globals: Object.fromEntries(page.map((name) => [name, "readonly"])) },
    rules: { ...js.configs.recommended.rules, ...strict, strict: ["error", "global"] },
  },
  {
    files: ["page/**/*.mjs"],
    languageOptions: { sourceType: "module", globals: Object.fromEntries(browser.map((name) => [name, "readonly"])) },
    rules: { ...js.configs.recommended.rules, ...strict },
  },
  {
    files: ["tests/**/*.mjs", "eslint.config.mjs", "make_wasm.mjs"],
    languageOptions: {
      sourceType: "module",
      globals: {
        TextEncoder: "readonly", URL: "readonly", WebAssembly: "readonly", console: "readonly", globalThis: "writable",
        process: "readonly", setImmediate: "readonly",
      },
    },
    rules: { ...js.configs.recommended.rules, ...strict },
  },
  {
    files: ["map/**/*.css", "page/**/*.css"],
    language: "css/css",
    plugins: { css },
    rules: {
      ...css.configs.recommended.rules,
      "css/no-invalid-properties": ["error", { allowUnknownVariables: true }], // Streamlit's theme has its colours in variables
      "css/no-important": "off", // Leaflet's and Streamlit's own sheets are loaded after ours
      "css/use-baseline": [
        "error",
        {
          available: "widely",
          allowProperties: ["accent-color", "scrollbar-width"],
          allowFunctions: ["color-mix", "light-dark"],
          allowSelectors: ["has"], // in every browser since December 2023
        },
      ],
    },
  },
];
