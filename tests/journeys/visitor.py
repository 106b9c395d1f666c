"""A person at the browser: opens pages, waits for what can be seen, and notes whatever goes wrong meanwhile."""

from __future__ import annotations

import io
import os
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import numpy as np
from PIL import Image
from playwright.sync_api import Browser, FrameLocator, Locator, Page, Response, expect

PAGES = (
    "Start",
    "Explore",
    "Extract",
    "Embeddings",
    "Compare",
    "Label",
    "Train",
    "Evaluate",
    "Leaderboard",
    "Apply",
    "Backbones",
    "Runs",
)
HEADINGS = {"Start": "Map burn scars from satellite images"}
# A slow machine may take so long for one step; a quick one never waits for it.
PATIENCE_MS = 120_000
_OPAQUE = 8  # of 255: less is as good as not there
# Done once every tile has come and has faded in, and the scenes in sight have their pictures; for at most ten seconds.
WHOLE_MAP = """async () => {
  const isWhole = () => [...document.querySelectorAll('.leaflet-tile')].every(
    tile => tile.classList.contains('leaflet-tile-loaded') && getComputedStyle(tile).opacity === '1') &&
    [...document.querySelectorAll('.ember-scene img')].every(
      image => image.getBoundingClientRect().left > innerWidth || image.naturalWidth > 0);
  for (let turn = 0; turn < 50 && !isWhole(); turn++) await new Promise(done => setTimeout(done, 200));
}"""
_POINT = "(_, [lon, lat]) => { const at = map.latLngToContainerPoint([lat, lon]); return [at.x, at.y]; }"
_WHOLE_PICTURES = "() => [...document.images].every(image => image.complete)"
_HAS_COLOUR = """canvas => canvas.width > 0 &&
  canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height).data.some((part, i) => i % 4 === 3 && part > 8)"""
_NOTE_PROGRESS = """() => {
  window.seenProgress = [];
  const look = () => document.querySelectorAll('.st-key-job_panel [data-testid="stProgress"]').forEach(bar => {
    const words = bar.innerText.trim(), seen = window.seenProgress;
    if (words && seen[seen.length - 1] !== words) seen.push(words);
  });
  new MutationObserver(look).observe(document.body, {subtree: true, childList: true, characterData: true});
  look();
}"""


class Visitor:
    """One tab of one person.

    Attributes:
        outside: addresses off this machine that the tab asked for; Chromium finds none of them.
        errors: what the browser called an error.
        tiles: answers to requests for map tiles, in their order.
    """

    def __init__(self, page: Page, address: str, screenshots: Path) -> None:
        self.page = page
        self.outside: list[str] = []
        self.errors: list[str] = []
        self.tiles: list[Response] = []
        self._address = address
        self._screenshots = screenshots
        page.on("pageerror", lambda error: self.errors.append(str(error)[:300]))
        page.on("response", self._note_response)
        page.on("websocket", lambda socket: self._note_outside(socket.url))
        page.context.on("request", lambda request: self._note_outside(request.url))

    def open(self, path: str = "") -> None:
        """Come by an address, as from a bookmark."""
        self.page.goto(f"{self._address}/{path}", timeout=PATIENCE_MS)

    def go_to(self, title: str) -> None:
        """Turn to a page by the navigation on top."""
        link = self.page.get_by_test_id("stTopNavLink").filter(has_text=title)
        link.click(timeout=PATIENCE_MS)
        self.sees_page(title)

    def sees_page(self, title: str) -> None:
        """Wait until a page is there whole: its heading stands and the server has no more to say."""
        heading = HEADINGS.get(title, title)
        expect(self.page.get_by_role("heading", name=heading, exact=True, level=1)).to_be_visible(
            timeout=PATIENCE_MS
        )
        self.is_idle()

    def is_idle(self) -> None:
        """Wait until the server has drawn all that it was asked for."""
        idle = '[data-testid="stApp"][data-test-script-state="notRunning"]'
        self.page.wait_for_selector(idle, timeout=PATIENCE_MS)
        expect(self.page.get_by_test_id("stSkeleton")).to_have_count(0, timeout=PATIENCE_MS)

    def button(self, key: str) -> Locator:
        """The button that the page knows by a key."""
        return self.page.locator(f".st-key-{key} button").first

    def press(self, key: str) -> None:
        """Press a button once it can be pressed."""
        expect(self.button(key)).to_be_enabled(timeout=PATIENCE_MS)
        self.button(key).click(timeout=PATIENCE_MS)

    def pick(self, key: str, words: str) -> None:
        """Pick one of a row of choices."""
        self.page.locator(f".st-key-{key}").get_by_role("radio", name=words).or_(
            self.page.locator(f".st-key-{key}").get_by_role("button", name=words)
        ).first.click(timeout=PATIENCE_MS)
        self.is_idle()

    def type_number(self, key: str, value: float) -> None:
        """Write a number into a field and leave it; a page that is drawn anew may show an old copy for a moment."""
        field = self.page.locator(f".st-key-{key} input")
        expect(field).to_have_count(1, timeout=PATIENCE_MS)
        field.fill(str(value), timeout=PATIENCE_MS)
        field.press("Tab")

    def sees(self, words: str | re.Pattern[str]) -> None:
        """Wait for words on the page."""
        expect(self.page.get_by_text(words).first).to_be_visible(timeout=PATIENCE_MS)

    @property
    def map(self) -> FrameLocator:
        """The inside of the map; of the first where there are several."""
        return self.page.frame_locator('iframe[title*="st_folium"]').first

    def on_map(self, lon: float, lat: float) -> tuple[float, float]:
        """Where a place is in the window, for the mouse."""
        container = self.map.locator(".leaflet-container")
        frame = container.bounding_box()
        assert frame is not None
        x, y = container.evaluate(_POINT, [lon, lat])
        return frame["x"] + x, frame["y"] + y

    def sees_map(self) -> None:
        """Wait until the map has drawn its tiles."""
        expect(self.map.locator("img.leaflet-tile-loaded").first).to_be_attached(timeout=PATIENCE_MS)

    def sees_tile_with_pixels(self, layer: str = "") -> None:
        """Wait until the server has answered a tile in which something can be seen.

        Args:
            layer: token of the layer that it must be of; empty: any.
        """
        checked = 0
        for _ in self._patiently():
            while checked < len(self.tiles):
                answer = self.tiles[checked]
                checked += 1
                assert answer.status == 200, f"{answer.status} {answer.url}"
                if f"/tiles/{layer}" in answer.url and _has_pixels(answer.body()):
                    return
        raise AssertionError(f"none of {len(self.tiles)} tiles shows anything of {layer or 'any layer'}")

    def sees_overlay(self) -> None:
        """Wait until the layer above the imagery stands on the map, and shows something."""
        tile = self.map.locator(".leaflet-overlay-pane img.leaflet-tile-loaded").first
        expect(tile).to_be_attached(timeout=PATIENCE_MS)
        found = re.search(r"tiles/([^/]+)/", tile.get_attribute("src") or "")
        assert found is not None
        self.sees_tile_with_pixels(found[1])

    def sees_lens(self) -> None:
        """Wait until the patches of a store are drawn on the map, and show something."""
        canvas = self.map.locator("canvas.ember-lens")
        expect(canvas).to_be_attached(timeout=PATIENCE_MS)
        self.waits_until(lambda: canvas.evaluate(_HAS_COLOUR), "the lens shows nothing")

    def waits_until(self, condition: Callable[[], bool], otherwise: str) -> None:
        """Ask again until it is so, while the browser goes on."""
        for _ in self._patiently():
            if condition():
                return
        raise AssertionError(otherwise)

    @property
    def job(self) -> str:
        """The job that the address names."""
        self.page.wait_for_url(re.compile(r"[?&]job="), timeout=PATIENCE_MS)
        return parse_qs(urlsplit(self.page.url).query)["job"][0]

    def note_progress(self) -> None:
        """From now on remember what the progress bar of the job says."""
        self.page.evaluate(_NOTE_PROGRESS)

    @property
    def progress(self) -> list[str]:
        """What the progress bar said since `note_progress`, each word once in a row."""
        return list(self.page.evaluate("() => window.seenProgress"))

    def progress_matches(self, words: str) -> None:
        """Wait until the bar of the job says something of this form (a regular expression)."""
        bar = self.page.locator('.st-key-job_panel [data-testid="stProgress"]')
        expect(bar).to_contain_text(re.compile(words), timeout=PATIENCE_MS)

    def sees_state(self, state: str, patience_ms: int = PATIENCE_MS) -> None:
        """Wait until the panel of the job says how it stands."""
        at = f'.st-key-job_panel [data-state="{state}"]'
        expect(self.page.locator(at)).to_be_visible(timeout=patience_ms)

    def sees_no_breakdown(self) -> None:
        """No exception and none of our own words for one."""
        assert self.page.get_by_test_id("stException").count() == 0
        assert self.page.get_by_text("could not be drawn").count() == 0

    def take_screenshot(self, name: str) -> Path:
        """A picture of the window as it is; one that is to be kept is made small by a palette of 256 colours."""
        self.page.wait_for_function(_WHOLE_PICTURES, timeout=PATIENCE_MS)
        if self.page.locator('iframe[title*="st_folium"]').count():
            self.map.locator(".leaflet-container").evaluate(WHOLE_MAP)
        path = self._screenshots / f"{name}.png"
        seen = self.page.screenshot(animations="disabled", timeout=PATIENCE_MS)
        path.write_bytes(seen)
        if os.environ.get("EMBERSCOPE_SCREENSHOTS"):
            whole = Image.open(io.BytesIO(seen)).convert("RGB")
            whole.quantize(256, dither=Image.Dither.FLOYDSTEINBERG).save(path, optimize=True)
        return path

    def _patiently(self) -> Iterator[None]:
        """Turns of waiting until patience ends; the browser goes on meanwhile."""
        for _ in range(PATIENCE_MS // 250):
            yield
            self.page.wait_for_timeout(250)

    def _note_response(self, response: Response) -> None:
        if re.search(r"/tiles/.+\.png$", response.url):
            self.tiles.append(response)
        elif response.status >= 400 and "/_stcore/" not in response.url:  # Streamlit feels for its base path
            self.errors.append(f"{response.status} {response.url}")

    def _note_outside(self, url: str) -> None:
        is_home = url.startswith(("data:", "blob:")) or urlsplit(url).netloc == urlsplit(self._address).netloc
        if not is_home:
            self.outside.append(url)


@contextmanager
def visit(
    browser: Browser, address: str, screenshots: Path, width: int = 1280, theme: str = "light"
) -> Iterator[Visitor]:
    """A new person with an empty browser; at the end nothing may have gone wrong or asked for the outside."""
    context = browser.new_context(
        viewport={"width": width, "height": 900},
        color_scheme=theme,
        service_workers="block",
        reduced_motion="reduce",
    )
    try:
        visitor = Visitor(context.new_page(), address, screenshots)
        yield visitor
        visitor.sees_no_breakdown()
        assert visitor.outside == [], "the page asked for what is not on this machine"
        assert visitor.errors == [], visitor.errors
    finally:
        context.close()


def _has_pixels(png: bytes) -> bool:
    alpha = np.asarray(Image.open(io.BytesIO(png)).convert("RGBA"))[..., 3]
    return bool((alpha > _OPAQUE).any())
