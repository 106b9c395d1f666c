// What the map itself writes into the page's address: a link opens the same view, and the server is not asked for it.
"use strict";

{
  const Emberscope = (globalThis.Emberscope ??= {});
  const OWN = new Map();
  const EVERY_MS = 400;

  /** The page around the map's frame; null where a browser keeps it from us. */
  function page() {
    try {
      return parent.location.search === undefined ? null : parent;
    } catch {
      return null;
    }
  }

  const around = page();
  const path = around?.location.pathname;
  // A link counts for the first map of a document; on later ones a person goes on from where they are.
  const opened = String(around?.performance?.timeOrigin);
  const isFirst = around !== null && Emberscope.recall("document") !== opened;
  const linked = new URLSearchParams(isFirst ? around.location.search : "");
  Emberscope.remember("document", opened);

  /** Bring the address to what the map knows: Streamlit writes the whole of it, without our part. */
  function write() {
    if (!around || around.location.pathname !== path) {
      return; // the person has gone on to another page
    }
    const query = new URLSearchParams(around.location.search);
    for (const [name, value] of OWN) {
      if (value === null) {
        query.delete(name);
      } else {
        query.set(name, value);
      }
    }
    const search = query.size ? `?${query.toString().replaceAll("%2C", ",").replaceAll("%3A", ":")}` : "";
    if (!isSame(query, new URLSearchParams(around.location.search))) {
      around.history.replaceState(around.history.state, "", `${path}${search}${around.location.hash}`);
    }
  }

  function isSame(one, other) {
    return one.toString() === other.toString();
  }

  Emberscope.address = {
    /**
     * What the link says of a name; a second call says nothing.
     *
     * @returns {string|null} null also on every map but the first of a document.
     */
    take(name) {
      const value = linked.get(name);
      linked.delete(name);
      return value;
    },

    /** Keep a value in the address as long as this map is on the page; null takes it out. */
    keep(name, value) {
      if (OWN.size === 0) {
        setInterval(write, EVERY_MS);
      }
      OWN.set(name, value);
      write();
    },
  };
}
