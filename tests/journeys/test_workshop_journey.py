"""A workshop: two people with one password on one server, each in a workspace of their own, and a server that restarts."""

from __future__ import annotations

from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from engine.jobs.job import list_jobs
from tests.journeys.conftest import end_jobs, free_port, served
from tests.journeys.held import events, wait_until
from tests.journeys.visitor import PATIENCE_MS, Visitor, visit

pytestmark = pytest.mark.timeout(600)  # two slow, busy cores
PASSWORD = "ember-on-ash"
_WIDTHS_PX = (1500, 1440, 1366, 1280, 1240, 1160, 1100, 1024, 920)
_COVERED = """() => {
  const job = document.querySelector('.es-job').getBoundingClientRect();
  return [...document.querySelectorAll('header :is(a, button), .st-key-workspace button, .st-key-glossary button')].filter(one => {
    const box = one.getBoundingClientRect();
    return one.checkVisibility() && box.width > 0 && box.top < 60 && box.left < job.right && box.right > job.left && box.bottom > job.top;
  }).map(one => one.innerText);
}"""


def test_two_people_of_a_workshop_see_their_own_runs_only_and_a_restart_loses_nothing(
    chromium: Browser, screenshots: Path, tmp_path: Path
) -> None:
    home, port = tmp_path / "home", free_port()
    home.mkdir()
    try:
        with (
            visit(chromium, f"http://127.0.0.1:{port}", screenshots) as anna,
            visit(chromium, f"http://127.0.0.1:{port}", screenshots) as ben,
        ):
            with served(home, port, EMBERSCOPE_PASSWORD=PASSWORD):
                come_in(anna, "extract", "Anna", wrong_first=True)
                anna.sees_page("Extract")
                anna.press("start_extract")
                run = anna.job
                second = anna.page.context.new_page()
                second.goto(f"http://127.0.0.1:{port}/backbones?workspace=anna", timeout=PATIENCE_MS)
                expect(second.locator(".es-job")).to_be_visible(timeout=PATIENCE_MS)
                assert covered(second) == []
                come_in(ben, f"runs?job={run}", "Ben")
                ben.sees("No runs yet")
                assert ben.page.locator(".es-job").count() == 0
                assert "workspace=ben" in ben.page.url
            folder = home / "workspaces" / "anna" / run
            assert folder.is_dir() and list_jobs(home) == [] and list_jobs(home / "workspaces" / "ben") == []
            wait_until(lambda: bool(events(folder, "Started")))
            with served(home, port, EMBERSCOPE_PASSWORD=PASSWORD):
                anna.sees_state("finished")
                assert anna.job == run and "workspace=anna" in anna.page.url
                anna.take_screenshot("workshop")
                second.close()
            anna.errors.clear()  # while the server was away, the browser could not ask it
            ben.errors.clear()
    finally:
        end_jobs(home)


def covered(page: Page) -> list[str]:
    """What of the bar on top the job under way lies over, at the widths of usual windows."""
    size, found = page.viewport_size, []
    for width in _WIDTHS_PX:
        page.set_viewport_size({"width": width, "height": 768})
        page.wait_for_timeout(250)
        found += [f"{name} at {width} px" for name in page.evaluate(_COVERED)]
    page.set_viewport_size(size)
    return found


def come_in(person: Visitor, wanted: str, name: str, *, wrong_first: bool = False) -> None:
    """Give the password and a name at the door."""
    person.open(wanted)
    if wrong_first:
        person.page.fill("#password", "a guess")
        person.page.fill("#workspace", name)
        person.page.get_by_role("button", name="Come in").click()
        expect(person.page.get_by_role("alert")).to_contain_text("not the password")
    person.errors.clear()  # 401 and 403 are meant
    person.page.fill("#password", PASSWORD)
    person.page.fill("#workspace", name)
    person.page.get_by_role("button", name="Come in").click()
