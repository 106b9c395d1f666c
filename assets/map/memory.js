// What one tab remembers from map to map: values in the browser's session storage.
"use strict";

{
  const Emberscope = (globalThis.Emberscope ??= {});
  const PREFIX = "emberscope ";

  Object.assign(Emberscope, {
    /** Keep a value for this tab. */
    remember(key, value) {
      try {
        sessionStorage.setItem(PREFIX + key, JSON.stringify(value));
      } catch {
        // A browser that keeps nothing opens each map anew.
      }
    },

    /** @returns {*} what this tab kept, or null. */
    recall(key) {
      try {
        return JSON.parse(sessionStorage.getItem(PREFIX + key));
      } catch {
        return null;
      }
    },
  });
}
