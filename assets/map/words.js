// Coordinates in words.
"use strict";

{
  const Emberscope = (globalThis.Emberscope ??= {});

  Object.assign(Emberscope, {
    /**
     * @param {number} degrees north of the equator, negative south of it.
     * @returns {string} such as "37.6500° N".
     */
    latitude(degrees) {
      return `${Math.abs(degrees).toFixed(4)}° ${degrees < 0 ? "S" : "N"}`;
    },

    /**
     * @param {number} degrees east of Greenwich, negative west of it; a map that shows the world twice goes beyond 180.
     * @returns {string} such as "75.6100° W".
     */
    longitude(degrees) {
      const wrapped = Emberscope.wrapped(degrees);
      return `${Math.abs(wrapped).toFixed(4)}° ${wrapped < 0 ? "W" : "E"}`;
    },

    /** @returns {number} the same longitude from -180 to 180. */
    wrapped(degrees) {
      return ((((degrees + 180) % 360) + 360) % 360) - 180;
    },
  });
}
