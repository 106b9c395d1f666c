/* Puts the keyboard on the guided path's highlighted button when a step begins and when its work is done, and keeps it
   there while the page is still being drawn: a redraw may replace the button, and the focus would fall to the body. Ends
   once a person presses a key or points at something, or when the page has stood still for a while. */
"use strict";

(() => {
  const LOOK_MS = 150;
  const STILL_LOOKS = 10;
  const MOST_LOOKS = 8000; // twenty minutes, for a step that waits for a job
  const button = () => document.querySelector(".st-key-guide_next button:not(:disabled)");
  const isDrawn = () => document.querySelector('[data-testid="stApp"][data-test-script-state="notRunning"]') !== null;
  let looks = 0, still = 0, hasStood = false, isOver = false;

  const end = () => {
    isOver = true;
    document.removeEventListener("keydown", end, true);
    document.removeEventListener("pointerdown", end, true);
    document.removeEventListener("es-guide-focus", end);
  };

  const look = () => {
    const found = button();
    const isLost = document.activeElement === null || document.activeElement === document.body;
    if (isOver) {
      return;
    }
    if (found !== null && (!hasStood || isLost)) {
      found.focus({ preventScroll: true });
      hasStood = true;
      still = 0;
    }
    looks += 1;
    still = isDrawn() && document.activeElement === found ? still + 1 : 0;
    if (still > STILL_LOOKS || looks > MOST_LOOKS) {
      end();
    } else {
      setTimeout(look, LOOK_MS);
    }
  };

  document.dispatchEvent(new Event("es-guide-focus")); // ends the one of the step before
  document.addEventListener("es-guide-focus", end);
  document.addEventListener("keydown", end, true);
  document.addEventListener("pointerdown", end, true);
  setTimeout(look, LOOK_MS);
})();
