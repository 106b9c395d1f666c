/* Files dropped anywhere on the page, also over the map's frame, go to the page's field for dropped files. Without
   this the browser would leave the page and show the file. */
"use strict";

(() => {
  const field = () => document.querySelector('[class*="st-key-own_drop_"] input[type="file"]');
  const isDialogOpen = () => document.querySelector('[role="dialog"]') !== null;
  const carriesFiles = (event) => [...(event.dataTransfer?.types ?? [])].includes("Files");
  const isTaken = (event) => carriesFiles(event) && field() !== null && !isDialogOpen();
  const mark = (isOver) => document.body.classList.toggle("es-dropping", isOver);
  let leaving = 0;

  const over = (event) => {
    if (!isTaken(event)) {
      return;
    }
    event.preventDefault();
    mark(true);
    clearTimeout(leaving);
    leaving = setTimeout(() => mark(false), 400);
  };

  const drop = (event) => {
    const own = event.target instanceof Element ? event.target.closest('[data-testid="stFileUploaderDropzone"]') : null;
    if (!isTaken(event) || own !== null) {
      return;
    }
    event.preventDefault();
    event.stopPropagation();
    mark(false);
    const input = field();
    input.files = event.dataTransfer.files;
    input.dispatchEvent(new Event("change", { bubbles: true }));
  };

  const listen = (target) => {
    if (target === null || target.emberscopeDrop) {
      return;
    }
    target.emberscopeDrop = true;
    target.addEventListener("dragover", over, true);
    target.addEventListener("drop", drop, true);
  };

  const inFrames = () => document.querySelectorAll("iframe").forEach((frame) => {
    listen(frame.contentDocument);
    if (!frame.emberscopeDrop) {
      frame.emberscopeDrop = true;
      frame.addEventListener("load", () => listen(frame.contentDocument));
    }
  });

  if (document.emberscopeDrop) {
    return;
  }
  listen(document);
  inFrames();
  new MutationObserver(inFrames).observe(document.body, { childList: true, subtree: true });
})();
