// The panel beside a map of probabilities: threshold, hectares that follow it, outlines, and files to take home.
// Streamlit mounts it in the page; the map lives in a frame of its own and hears of the threshold through a channel.

const CHANNEL = "emberscope threshold";
const STEPS = 200;

/** @returns {number} hectares of a class at a step and above. */
export function hectaresAbove(bySteps, step) {
  return bySteps.slice(step).reduce((sum, area) => sum + area, 0);
}

/** @returns {string} hectares as the server writes them. */
export function inWords(hectares) {
  return `${hectares.toLocaleString("en", { minimumFractionDigits: 1, maximumFractionDigits: 1 })} ha`;
}

/** @returns {number} the step of a threshold. */
export function stepOf(threshold) {
  return Math.round(threshold * STEPS);
}

/** @returns {string} address of a file at a threshold. */
export function fileAddress(template, threshold) {
  return template.replace("THRESHOLD", threshold.toFixed(2));
}

/** @returns {string} how many polygons the files hold, of how many hectares, and how many of them are drawn. */
export function drawnInWords({ count, hectares, most }, smallest) {
  const drawn = count > most ? ` The ${most.toLocaleString("en")} largest are drawn.` : "";
  return `Of these, ${inWords(hectares)} lie in ${count.toLocaleString("en")} polygons of ${smallest} ha or more.${drawn}`;
}

/** An element with a class and words. */
function made(tag, className, words = "") {
  const element = document.createElement(tag);
  Object.assign(element, { className, textContent: words });
  return element;
}

/** A file is made when it is asked for: say so while it is, and say why where it cannot be. */
async function take(event, link, note) {
  event.preventDefault();
  if (link.getAttribute("aria-busy") === "true") {
    return;
  }
  link.setAttribute("aria-busy", "true");
  note.textContent = `Making ${link.dataset.label}.`;
  try {
    const answer = await fetch(link.href, { method: "HEAD" });
    if (!answer.ok) {
      throw new Error((await (await fetch(link.href)).text()) || "The file could not be made.");
    }
    const anchor = made("a", "");
    Object.assign(anchor, { href: link.href, download: "" });
    document.body.append(anchor);
    anchor.click();
    anchor.remove();
    note.textContent = "";
  } catch (error) {
    note.textContent = error.message;
  } finally {
    link.removeAttribute("aria-busy");
  }
}

export default function ({ data, parentElement, setStateValue }) {
  const root = parentElement.querySelector(".es-threshold");
  const channel = new BroadcastChannel(CHANNEL);
  const slider = root.querySelector("input[type=range]");
  const shown = root.querySelector("output");
  const areas = root.querySelector(".es-areas");
  const files = root.querySelector(".es-files");
  const note = root.querySelector(".es-note");
  const tick = root.querySelector("input[type=checkbox]");
  if (root.dataset.channel !== data.channel) {
    root.dataset.channel = data.channel;
    slider.value = data.threshold;
    tick.checked = false;
  }
  const threshold = () => Number(slider.value);
  const cells = data.classes.map(({ value, name, colour, steps }) => {
    const row = made("div", "");
    const term = made("dt", "", name);
    const sign = made("i", "");
    sign.style.background = colour;
    term.prepend(sign);
    const area = made("dd", "");
    area.dataset.value = value;
    row.append(term, area);
    return { row, area, steps };
  });
  areas.replaceChildren(...cells.map(({ row }) => row));
  const links = data.files.map(({ label, address }) => {
    const link = made("a", "es-take", label);
    Object.assign(link.dataset, { label, address });
    link.addEventListener("click", (event) => take(event, link, note));
    return link;
  });
  files.replaceChildren(...links);
  root.querySelector(".es-of").textContent = data.words;
  root.querySelector(".es-counted").textContent = data.counted;

  const outline = () => {
    note.textContent = tick.checked ? "Drawing the polygons." : "";
    const url = tick.checked ? new URL(fileAddress(data.polygons, threshold()), document.baseURI).href : null;
    channel.postMessage({ channel: data.channel, polygons: url });
  };
  const follow = () => {
    shown.textContent = threshold().toFixed(2);
    slider.setAttribute("aria-valuetext", `${data.words} ${threshold().toFixed(2)}`);
    for (const { area, steps } of cells) {
      area.textContent = inWords(hectaresAbove(steps, stepOf(threshold())));
    }
    for (const link of links) {
      link.href = fileAddress(link.dataset.address, threshold());
    }
    channel.postMessage({ channel: data.channel, step: stepOf(threshold()) });
  };
  slider.oninput = follow;
  slider.onchange = () => {
    setStateValue("threshold", threshold());
    if (tick.checked) {
      outline();
    }
  };
  tick.onchange = outline;
  channel.onmessage = ({ data: told }) => {
    if (told.asks) {
      follow();
      if (tick.checked) {
        outline();
      }
    } else if (told.drawn === data.channel && tick.checked) {
      note.textContent = told.error ?? drawnInWords(told, data.smallest);
    }
  };
  follow();
  if (tick.checked && root.dataset.polygons !== data.polygons) {
    outline();
  }
  root.dataset.polygons = data.polygons;
  return () => channel.close();
}
