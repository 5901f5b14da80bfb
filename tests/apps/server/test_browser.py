"""The pages in a real browser: what is seen, what a keyboard reaches, and what changes by itself."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect, sync_playwright

from shipline.apps.server.documents import answered
from shipline.capabilities.releases import RELEASES
from shipline.capabilities.rollouts import Alert, Concurrency
from tests.apps.server.conftest import Served
from tests.apps.server.serving import TOKEN
from tests.machine import PATIENCE_S

NAMES = ("chromium", "chromium-browser", "google-chrome")
ARGUMENTS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
# The width of what sticks out of the window.
OVERFLOW = "document.documentElement.scrollWidth - document.documentElement.clientWidth"
PAGES = (
    ("overview", "/"),
    ("releases", "/releases"),
    ("release", "/releases/{good}"),
    ("refused", "/releases/{refused}"),
    ("ticking", "/releases/{running}"),
    ("live", "/rollouts/{live}"),
    ("rolled-back", "/rollouts/{rolled_back}"),
    ("environment", "/environments/production"),
    ("incidents", "/incidents"),
    ("calendar", "/calendar"),
    ("log", "/log"),
)

# Every text node that is seen, with the contrast of its colour to what is behind it (WCAG 2.2, 1.4.3 and relative
# luminance). Colours are painted on a canvas, so that the browser resolves them.
CONTRAST = """() => {
  const canvas = document.createElement("canvas"); canvas.width = canvas.height = 1;
  const context = canvas.getContext("2d", {willReadFrequently: true});
  const rgba = (colour) => { context.clearRect(0, 0, 1, 1); context.fillStyle = colour; context.fillRect(0, 0, 1, 1);
    const [r, g, b, a] = context.getImageData(0, 0, 1, 1).data; return [r, g, b, a / 255]; };
  const over = (top, below) => [0, 1, 2].map((i) => top[i] * top[3] + below[i] * (1 - top[3])).concat(1);
  const luminance = ([r, g, b]) => { const [x, y, z] = [r, g, b].map((v) => { v /= 255;
    return v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4; }); return 0.2126 * x + 0.7152 * y + 0.0722 * z; };
  const behind = (element) => { if (element === null) return rgba(getComputedStyle(document.body).backgroundColor);
    const own = rgba(getComputedStyle(element).backgroundColor);
    return own[3] >= 1 ? own : over(own, behind(element.parentElement)); };
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT), found = [];
  for (let node = walker.nextNode(); node !== null; node = walker.nextNode()) {
    const element = node.parentElement, style = getComputedStyle(element);
    if (!node.data.trim() || element.closest("title, .skip-link") || !element.checkVisibility()) continue;
    const zone = element.classList.contains("limit-label") ? element.closest("svg").querySelector(".zone") : null;
    let below = behind(element);
    if (zone !== null) { const painted = getComputedStyle(zone); const fill = rgba(painted.fill);
      fill[3] *= Number(painted.opacity); below = over(fill, below); }
    const colour = over(rgba(element.closest("svg") ? style.fill : style.color), below);
    const [a, b] = [luminance(colour), luminance(below)].sort((x, y) => y - x);
    const ratio = (a + 0.05) / (b + 0.05);
    if (ratio < 4.5) found.push([Number(ratio.toFixed(2)), node.data.trim().slice(0, 40)]);
  }
  return found;
}"""


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """Chromium, headless; skips where there is none."""
    path = next(filter(None, map(shutil.which, NAMES)), None)
    if path is None:
        pytest.skip(f"no browser: none of {', '.join(NAMES)} is installed")
    with sync_playwright() as playwright:
        opened = playwright.chromium.launch(executable_path=path, args=ARGUMENTS)
        yield opened
        opened.close()


class Visit:
    """A tab that writes down what goes wrong in it."""

    def __init__(self, served: Served, context: BrowserContext) -> None:
        self.served = served
        self.errors: list[str] = []
        self.elsewhere: list[str] = []
        self.page: Page = context.new_page()
        self.page.set_default_timeout(PATIENCE_S * 1000)
        self.page.on("console", lambda message: self.errors.append(message.text) if message.type == "error" else None)
        self.page.on("pageerror", lambda error: self.errors.append(str(error)))
        self.page.on("request", lambda request: self._note(request.url))
        self.page.goto(f"{served.url}/?token={TOKEN}")

    def _note(self, url: str) -> None:
        if not url.startswith(self.served.url):
            self.elsewhere.append(url)

    def go(self, path: str) -> None:
        self.page.goto(self.served.url + path.format(**self.served.ids))

    def check(self) -> None:
        assert self.errors == []
        assert self.elsewhere == []


@pytest.fixture
def visit(request: pytest.FixtureRequest, browser: Browser) -> Iterator[Visit]:
    """A tab of 1280 by 900 on the stage that the test uses."""
    name = "fresh" if "fresh" in request.fixturenames else "served"
    context = browser.new_context(viewport={"width": 1280, "height": 900})
    yield Visit(request.getfixturevalue(name), context)
    context.close()


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [1280, 390])
def test_every_page_fits_is_legible_and_asks_nobody_else(
    served: Served, browser: Browser, tmp_path: Path, width: int, scheme: str
) -> None:
    """No horizontal scrolling, contrast of 4.5 everywhere, one h1, no error, no request that leaves loopback."""
    context = browser.new_context(
        viewport={"width": width, "height": 900}, color_scheme="dark" if scheme == "dark" else "light"
    )
    visit = Visit(served, context)
    for name, path in PAGES:
        visit.go(path)
        assert visit.page.evaluate(OVERFLOW) <= 0, name
        assert visit.page.evaluate(CONTRAST) == [], name
        assert visit.page.locator("h1").count() == 1, name
        visit.page.screenshot(path=str(tmp_path / f"{name}.png"), full_page=True)
    visit.check()
    context.close()


def test_what_came_of_an_alert_and_what_waits_for_its_checklist_is_legible(
    fresh: Served, visit: Visit, tmp_path: Path
) -> None:
    """In both schemes and widths, as the other pages."""
    stage = fresh.stage
    with stage.world.store.begin() as tx:
        (release,) = RELEASES.where(tx, version="1.2.0")
    waits = stage.open(release, concurrency=Concurrency.QUEUE)
    answered(stage.site, (Alert("ManyErrors", "production", stage.clock.now_us(), "5% of the requests fail"),))
    for _ in range(3):
        stage.step()
    for name, path, words in (
        ("alerted", "/rollouts/{live}", "turned back by an alert from outside: ManyErrors"),
        ("waits", f"/rollouts/{waits.id}", "the checklist of production has to be ticked, or it is turned back"),
    ):
        visit.go(path)
        expect(visit.page.locator("main")).to_contain_text(words)
        for width, scheme in ((1280, "light"), (390, "light"), (390, "dark"), (1280, "dark")):
            visit.page.set_viewport_size({"width": width, "height": 900})
            visit.page.emulate_media(color_scheme="dark" if scheme == "dark" else "light")
            assert visit.page.evaluate(OVERFLOW) <= 0, (name, width)
            assert visit.page.evaluate(CONTRAST) == [], (name, scheme)
            visit.page.screenshot(path=str(tmp_path / f"{name}-{width}-{scheme}.png"), full_page=True)
    visit.check()


def test_pressing_pause_changes_the_page_by_itself(fresh: Served, visit: Visit) -> None:
    """The answer is shown at once; once the canary's next look has heard it, the page says so without a reload."""
    visit.go("/rollouts/{live}")
    page = visit.page
    page.get_by_role("button", name="Pause").click()
    expect(page.get_by_role("status")).to_contain_text("Pause was said", timeout=PATIENCE_S * 1000)
    expect(page.locator(".part-controls")).to_contain_text("not heard yet: pause", timeout=PATIENCE_S * 1000)
    fresh.stage.step()
    expect(page.locator(".part-headline")).to_contain_text("Paused", timeout=PATIENCE_S * 1000)
    expect(page.get_by_role("button", name="Resume")).to_be_enabled()
    expect(page.get_by_role("button", name="Pause")).to_be_disabled()
    assert page.locator("#say-pause").count() == 1
    visit.check()


@pytest.mark.parametrize("width", [390, 1280])
def test_every_command_of_a_rollout_can_be_seen_and_pressed(fresh: Served, visit: Visit, width: int) -> None:
    """A class of another thing's name had put one off the page."""
    visit.page.set_viewport_size({"width": width, "height": 900})
    visit.go("/rollouts/{live}")
    page = visit.page
    boxes = page.evaluate(
        "[...document.querySelectorAll('.part-controls .buttons button')]"
        ".map(each => ({name: each.innerText, ...each.getBoundingClientRect().toJSON()}))"
    )
    assert [box["name"] for box in boxes] == ["Pause", "Resume", "Skip the wait", "Promote", "Abort"]
    assert all(0 <= box["left"] < box["right"] <= width and box["top"] >= 0 for box in boxes), boxes
    page.get_by_role("button", name="Skip the wait").click()
    expect(page.get_by_role("status")).to_contain_text("Skip was said", timeout=PATIENCE_S * 1000)
    expect(page.locator(".part-controls")).to_contain_text("not heard yet: skip.", timeout=PATIENCE_S * 1000)
    fresh.stage.step()
    visit.check()


def test_an_abort_is_confirmed_by_keyboard_alone(fresh: Served, visit: Visit) -> None:
    """Tab reaches the button, Enter opens the question with the reason in focus, Escape takes it back."""
    visit.go("/rollouts/{live}")
    page = visit.page
    reach(page, "say-abort")
    page.keyboard.press("Enter")
    dialog = page.locator("#confirm-abort")
    expect(dialog).to_be_visible()
    expect(page.locator("#reason-abort")).to_be_focused()
    page.keyboard.press("Escape")
    expect(dialog).to_be_hidden()
    page.locator("#say-abort").focus()
    page.keyboard.press("Enter")
    page.keyboard.type("not what we wanted")
    page.keyboard.press("Enter")
    expect(page.get_by_role("status")).to_contain_text("Abort was said", timeout=PATIENCE_S * 1000)
    expect(dialog).to_be_hidden()
    fresh.stage.world.run_until_quiet(fresh.stage.engine)
    expect(page.locator(".part-headline")).to_contain_text("not what we wanted", timeout=PATIENCE_S * 1000)
    expect(page.locator(".part-headline")).to_contain_text("Rolled back", timeout=PATIENCE_S * 1000)
    expect(page.get_by_role("button", name="Abort")).to_be_disabled()
    visit.check()


@pytest.mark.parametrize("width", [390, 1280])
def test_a_way_back_is_chosen_and_confirmed_by_keyboard_alone(
    fresh: Served, visit: Visit, tmp_path: Path, width: int
) -> None:
    """The question asks for the version and the reason, and goes nowhere without one; Escape takes it back."""
    visit.page.set_viewport_size({"width": width, "height": 900})
    visit.go("/environments/production")
    page = visit.page
    reach(page, "say-rollback")
    page.keyboard.press("Enter")
    dialog = page.locator("#confirm-rollback")
    expect(page.locator("#rollback-version")).to_be_focused()
    assert page.evaluate(CONTRAST) == []
    box = dialog.bounding_box()
    assert box is not None
    assert box["x"] >= 0
    assert box["x"] + box["width"] <= width
    page.screenshot(path=str(tmp_path / f"rollback-{width}.png"))
    page.keyboard.press("Escape")
    expect(dialog).to_be_hidden()
    page.locator("#say-rollback").focus()
    page.keyboard.press("Enter")
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")  # Without a reason the browser asks for one.
    expect(dialog).to_be_visible()
    page.keyboard.type("prices are wrong")
    page.keyboard.press("Enter")
    expect(page.locator("h1")).to_contain_text("1.0.0", timeout=PATIENCE_S * 1000)
    fresh.stage.world.run_until_quiet(fresh.stage.engine)
    expect(page.locator(".part-headline")).to_contain_text("Promoted", timeout=PATIENCE_S * 1000)
    visit.check()


def test_the_measure_of_contrast_finds_pale_text(visit: Visit) -> None:
    visit.go("/")
    visit.page.evaluate("document.querySelector('h1').style.color = '#8a8a8a'")
    found = visit.page.evaluate(CONTRAST)
    assert [words for _, words in found] == ["Overview"]


def test_a_refusal_is_shown_where_the_command_was_given(fresh: Served, visit: Visit) -> None:
    """A button that was legal when it was pressed and is not any more."""
    visit.go("/rollouts/{live}")
    page = visit.page
    page.get_by_role("button", name="Promote").click()
    expect(page.locator("#confirm-promote")).to_be_visible()
    fresh.stage.world.run_until_quiet(fresh.stage.engine)
    page.locator("#confirm-promote button[type=submit]").click()
    expect(page.get_by_role("status")).to_contain_text("has ended", timeout=PATIENCE_S * 1000)
    assert visit.elsewhere == []


def test_the_overview_follows_what_happens(fresh: Served, visit: Visit) -> None:
    visit.go("/")
    expect(visit.page.locator(".part-environments")).to_contain_text("Running")
    fresh.stage.world.run_until_quiet(fresh.stage.engine)
    expect(visit.page.locator(".part-environments")).not_to_contain_text("Running", timeout=PATIENCE_S * 1000)
    visit.check()


def test_a_keyboard_reaches_every_button_and_sees_where_it_is(visit: Visit) -> None:
    """The skip link comes first; what has the focus has an outline."""
    visit.go("/rollouts/{live}")
    page = visit.page
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.className") == "skip-link"
    for name in ("say-pause", "say-promote", "say-abort"):
        reach(page, name)
        assert page.evaluate("getComputedStyle(document.activeElement).outlineStyle") == "solid"
        assert page.evaluate("parseFloat(getComputedStyle(document.activeElement).outlineWidth)") >= 2


def test_every_field_button_and_picture_has_a_name(visit: Visit) -> None:
    visit.go("/rollouts/{live}")
    nameless = """() => [...document.querySelectorAll("input:not([type=hidden]), button, svg[role=img], nav, section")]
      .filter((e) => !(e.labels?.length || e.textContent.trim() || e.ariaLabel || e.getAttribute("aria-labelledby")))
      .map((e) => e.outerHTML.slice(0, 80))"""
    assert visit.page.evaluate(nameless) == []
    assert visit.page.locator("main, header, nav").count() >= 3


def reach(page: Page, identity: str) -> None:
    """Press Tab until the element with this id has the focus."""
    for _ in range(60):
        if page.evaluate("document.activeElement.id") == identity:
            return
        page.keyboard.press("Tab")
    raise AssertionError(f"Tab does not reach {identity}")
