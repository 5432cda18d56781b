"""Pages in headless Chromium: submit, watch, look, download; by keyboard; dark and on a phone."""

from __future__ import annotations

import hashlib
import re
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from service_kit import LocalService, fake_command
from tiny_job import tiny_job

from service.settings import settings_from

playwright = pytest.importorskip("playwright.sync_api", reason="Playwright is not installed")
CHROMIUM = next(
    filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None
)
pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="no Chromium: apt-get install chromium")

PATIENCE = 180_000
"""For what waits on workers, which may have to compile first [ms]."""
expect = playwright.expect


@pytest.fixture(scope="module")
def chromium() -> Iterator[Any]:
    """A headless Chromium."""
    with playwright.sync_playwright() as driver:
        try:
            browser = driver.chromium.launch(executable_path=CHROMIUM)
        except playwright.Error as error:
            pytest.skip(f"{CHROMIUM} does not start: {error}")
        yield browser
        browser.close()


@contextmanager
def tab(chromium: Any, service: LocalService, **options: Any) -> Iterator[Any]:
    """A page in a context of its own; whatever the console calls an error fails the test."""
    context = chromium.new_context(base_url=service.url, **options)
    page = context.new_page()
    errors: list[str] = []
    page.on("console", lambda said: errors.append(said.text) if said.type == "error" else None)
    page.on("pageerror", lambda error: errors.append(str(error)))
    page.on("requestfailed", lambda request: errors.extend(_failure(request)))
    yield page
    context.close()
    assert errors == []


def _failure(request: Any) -> list[str]:
    """A request that failed for another reason than that the page was left."""
    return [] if "ERR_ABORTED" in str(request.failure) else [f"{request.url}: {request.failure}"]


def fill_tiny(page: Any) -> None:
    """Make the job in the form as small as a test needs."""
    for pointer, value in {
        "/name": "from-the-page",
        "/camera/width": "40",
        "/camera/height": "32",
        "/segments/0/duration": "0.25",
        "/segments/0/frame_rate": "20",
        "/sensors/1/rate_hz": "2000",
    }.items():
        page.locator(f"[data-pointer='{pointer}']").fill(value)


@pytest.mark.slow
def test_submit_watch_and_download(chromium: Any, service: LocalService, tmp_path: Path) -> None:
    """Submit a real job from the form, watch it finish, see pictures and plots, download it."""
    real = settings_from({}).worker_command
    with service.dispatcher(worker_command=real), tab(chromium, service) as page:
        page.goto("/jobs/new?template=orbit")
        fill_tiny(page)
        page.get_by_role("button", name="Submit").click()
        page.wait_for_url("**/jobs/job_*")
        expect(page.get_by_role("heading", level=1)).to_contain_text("from-the-page")
        expect(page.locator("#heading .state")).to_have_text("Succeeded", timeout=PATIENCE)
        expect(page.locator("#total-done")).to_have_text("5")
        expect(page.locator("#log")).to_contain_text("Job succeeded")
        look_at_pictures(page)
        page.get_by_role("link", name="Open the dataset").click()
        expect(page.locator(".chart")).to_have_count(4)
        look_at_pictures(page)
        download_and_compare(page, tmp_path)


def look_at_pictures(page: Any) -> None:
    """The contact sheet and the film are there and can be drawn."""
    page.get_by_text("Film").click()
    for picture in (page.locator(".sheet img"), page.locator(".film img")):
        picture.scroll_into_view_if_needed()
        expect(picture).to_have_js_property("complete", True)
        assert picture.evaluate("image => image.naturalWidth") > 400


def download_and_compare(page: Any, folder: Path) -> None:
    """The file that the browser saves has the digest that the page shows."""
    row = page.locator("table.files tr", has_text="orbit.h5")
    with page.expect_download() as downloading:
        row.get_by_role("link").click()
    path = folder / "orbit.h5"
    downloading.value.save_as(path)
    assert hashlib.sha256(path.read_bytes()).hexdigest() == row.locator(".digest").inner_text()


def test_progress_is_live(chromium: Any, service: LocalService) -> None:
    """Show progress, segments and pictures as they come, without reloading; cancel and go on."""
    job = service.submit()
    with tab(chromium, service) as page:
        page.goto(f"/jobs/{job}")
        page.evaluate("window.stayed = true")
        expect(page.locator("#left")).to_contain_text("dispatcher")
        with service.dispatcher(worker_command=fake_command(pace=0.3), cpu_slots=1):
            expect(page.locator("#heading .state")).to_have_text("Running", timeout=30_000)
            bar = page.locator("#segment-0 progress")
            expect(bar).not_to_have_js_property("value", 0, timeout=30_000)
            expect(page.locator("#segment-0 img").first).to_be_attached(timeout=30_000)
            assert page.evaluate("window.stayed") is True
            page.get_by_role("button", name="Cancel").click()
            expect(page.locator("#heading .state")).to_have_text("Cancelled", timeout=30_000)
        with service.dispatcher():
            page.get_by_role("button", name="Try again").click()
            expect(page.locator("#heading .state")).to_have_text("Succeeded", timeout=30_000)


def test_list_is_live(chromium: Any, service: LocalService) -> None:
    """Show new jobs and new states in the list without reloading."""
    service.submit()
    with tab(chromium, service) as page:
        page.goto("/")
        page.evaluate("window.stayed = true")
        expect(page.locator("tbody .state")).to_have_text(["Queued"])
        service.submit()
        with service.dispatcher():
            expect(page.locator("tbody .state")).to_have_text(["Succeeded"] * 2, timeout=30_000)
        assert page.evaluate("window.stayed") is True


def test_faults_do_not_move_a_pressed_button(chromium: Any, service: LocalService) -> None:
    """Submit on a press that is as slow as a hand's: faults that come meanwhile wait for its end."""
    context = chromium.new_context(base_url=service.url)
    page = context.new_page()
    page.goto("/jobs/new?template=orbit")
    name = page.locator("[data-pointer='/name']")
    name.fill("Not A Name")
    page.get_by_role("button", name="Submit").hover()
    with page.expect_response("**/v1/jobs:validate"):
        page.mouse.down()
    page.wait_for_timeout(300)
    page.mouse.up()
    expect(name).to_be_focused()
    context.close()


def test_faults_stand_at_their_fields(chromium: Any, service: LocalService) -> None:
    """Put every fault beside its field, lead to the first, and take it away when it is mended."""
    context = chromium.new_context(base_url=service.url)
    page = context.new_page()
    page.goto("/jobs/new?template=orbit")
    name = page.locator("[data-pointer='/name']")
    name.fill("Not A Name")
    duration = page.locator("[data-pointer='/segments/0/duration']")
    duration.fill("")
    page.get_by_role("button", name="Submit").click()
    expect(name).to_be_focused()
    expect(page.locator("[data-at='/name'] > .fault")).to_contain_text("expected a to z")
    expect(page.locator("[data-at='/segments/0/duration'] > .fault")).to_contain_text("required")
    expect(duration).to_have_attribute("aria-invalid", "true")
    expect(page.locator("#faults")).to_contain_text("2 faults")
    page.locator("#faults").get_by_role("link", name=re.compile("segments 1 . duration")).click()
    expect(duration).to_be_focused()
    duration.fill("1")
    name.fill("a-name")
    name.press("Tab")
    expect(page.locator(".fault")).to_have_count(0)
    expect(page.locator("#size [data-of=frames]")).to_have_text("30")
    context.close()


def test_form_and_text_are_one_document(chromium: Any, service: LocalService) -> None:
    """Change kinds, add and remove parts, edit as YAML, and submit what both views agree on."""
    with tab(chromium, service) as page:
        page.goto("/jobs/new?template=orbit")
        fill_tiny(page)
        page.locator("[data-kind='/segments/0/trajectory']").select_option("radial")
        expect(page.locator("[data-pointer='/segments/0/trajectory/distance']")).to_have_value(
            "1.7"
        )
        page.get_by_role("button", name="Add segment").click()
        expect(page.locator("[data-pointer='/segments/1/name']")).to_have_value("orbit-2")
        page.get_by_role("button", name="Remove sensor 2").click()
        expect(page.locator("[data-at='/sensors'] > .item")).to_have_count(1)
        page.get_by_role("button", name="YAML").click()
        text = page.locator("#text")
        expect(text).to_be_visible()
        text.fill(text.input_value().replace("orbit-2", "second"))
        page.get_by_role("button", name="Form").click()
        expect(page.locator("[data-pointer='/segments/1/name']")).to_have_value("second")
        page.get_by_role("button", name="Submit").click()
        page.wait_for_url("**/jobs/job_*")
    [job] = service.http.get("/v1/jobs").json()["jobs"]
    spec = service.http.get(f"/v1/jobs/{job['id']}/spec").json()
    assert [s["name"] for s in spec["segments"]] == ["orbit", "second"]
    assert [s["trajectory"]["kind"] for s in spec["segments"]] == ["radial", "radial"]
    assert [s["kind"] for s in spec["sensors"]] == ["event_camera"]


def test_large_seeds_are_kept(chromium: Any, service: LocalService) -> None:
    """Send seeds beyond 2^53 as they are, typed or from an earlier job, shown in the form or not."""
    seeds = [2**63 - 1 - 2 * i for i in range(102)]
    segment = tiny_job()["segments"][0]
    segments = [
        {**segment, "segment_id": i, "name": f"s{i}",
         "trajectory": {"kind": "orbital", "shake": {"seed": seed}}}
        for i, seed in enumerate(seeds)
    ]  # fmt: skip
    earlier = service.submit(tiny_job(seed=2**63 - 1, segments=segments))
    with tab(chromium, service) as page:
        page.goto(f"/jobs/new?job={earlier}")
        page.locator("[data-pointer='/seed']").fill(str(2**62 + 1))
        page.get_by_role("button", name="Submit").click()
        page.wait_for_url("**/jobs/job_*")
        job_id = page.url.rpartition("/")[2]
    spec = service.http.get(f"/v1/jobs/{job_id}/spec").json()
    assert spec["seed"] == 2**62 + 1
    assert [s["trajectory"]["shake"]["seed"] for s in spec["segments"]] == seeds


def test_uploaded_path(chromium: Any, service: LocalService, tmp_path: Path) -> None:
    """Upload a recorded path from the form, which then names it."""
    recording = tmp_path / "walk.txt"
    recording.write_text("".join(f"{t / 10} {t / 100} -1.5 1 0 0 0 1\n" for t in range(40)))
    context = chromium.new_context(base_url=service.url)
    page = context.new_page()
    page.goto("/jobs/new?template=orbit")
    page.locator("[data-kind='/segments/0/trajectory']").select_option("recorded")
    path = page.locator("[data-pointer='/segments/0/trajectory/path']")
    page.locator("input[type=file]").set_input_files(recording)
    expect(path).to_have_value(re.compile(r"asset_\w{32}/walk\.txt"), timeout=30_000)
    expect(page.locator(".fault")).to_have_count(0)
    context.close()


def test_keyboard_alone(chromium: Any, service: LocalService) -> None:
    """Skip to the content, open a job, and confirm its deletion, all by keyboard."""
    job = service.finished()
    with tab(chromium, service) as page:
        page.goto("/")
        page.keyboard.press("Tab")
        expect(page.get_by_text("Skip to the content")).to_be_focused()
        page.goto(f"/jobs/{job}")
        page.locator("summary", has_text="Delete").focus()
        page.keyboard.press("Enter")
        page.keyboard.press("Tab")
        expect(page.get_by_role("button", name="Delete for good")).to_be_focused()
        page.keyboard.press("Enter")
        expect(page.get_by_text("No jobs yet.")).to_be_visible()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_phone_and_contrast(chromium: Any, service: LocalService, scheme: str) -> None:
    """Fit a phone's width on every page, with text that stands out in both schemes."""
    job = service.finished()
    service.submit(tiny_job(name="waiting"))
    phone = {"viewport": {"width": 360, "height": 740}, "is_mobile": True, "color_scheme": scheme}
    with tab(chromium, service, **phone) as page:
        for address in (
            "/",
            "/jobs/new",
            f"/jobs/{job}",
            "/datasets",
            f"/datasets/dataset_{job[4:]}",
        ):
            page.goto(address)
            assert page.evaluate("document.documentElement.scrollWidth") <= 360, address
            for selector in ("body", ".muted", ".help", ".state", ".unit", "a", "button"):
                for ratio in page.evaluate(CONTRAST, selector):
                    assert ratio >= 4.5, f"{selector} on {address}"


CONTRAST = """
selector => {
  const channels = (color) => color.match(/[\\d.]+/g).map(Number);
  const light = (color) => {
    const [r, g, b] = channels(color).map((c) => (c / 255 <= 0.04045 ? c / 255 / 12.92 : ((c / 255 + 0.055) / 1.055) ** 2.4));
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const ground = (element) => {
    for (let here = element; here; here = here.parentElement) {
      const color = getComputedStyle(here).backgroundColor;
      if (channels(color)[3] !== 0) return color;
    }
    return "rgb(255, 255, 255)";
  };
  return [...document.querySelectorAll(selector)].filter((e) => e.checkVisibility() && e.innerText.trim()).slice(0, 40).map((element) => {
    const [a, b] = [light(getComputedStyle(element).color), light(ground(element))].sort((x, y) => y - x);
    return (a + 0.05) / (b + 0.05);
  });
}
"""
