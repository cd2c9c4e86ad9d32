"""The JavaScript of the components, in a real browser."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import Locator, Page, expect

APPS = Path(__file__).parent / "apps"
pytestmark = [pytest.mark.browser, pytest.mark.slow]

Server = Callable[..., str]
NewPage = Callable[..., Page]


def opened(page: Page, address: str, ready: str) -> Locator:
    """Open an app and return its component once it is drawn."""
    page.goto(address)
    drawn = page.locator(ready).first
    expect(drawn).to_be_visible(timeout=60_000)
    return drawn


def column_texts(page: Page) -> list[Locator]:
    return page.locator(".viewer .text").all()


# ── chunks on text ───────────────────────────────────────────────────────────────────────────────────────────────


@pytest.fixture
def viewer(streamlit_server: Server, browser_page: Page) -> Page:
    opened(browser_page, streamlit_server(APPS / "chunk_viewer_app.py"), ".viewer .piece")
    return browser_page


def test_every_column_holds_the_whole_text(viewer: Page) -> None:
    texts = [column.evaluate("e => e.textContent") for column in column_texts(viewer)]
    assert len(texts) == 4
    assert len(set(texts)) == 1
    assert "🚋" in texts[0]


def test_hovering_lights_the_whole_chunk_and_tells_about_it(viewer: Page) -> None:
    viewer.locator(".viewer .column").nth(1).locator(".piece.owned").first.hover()
    tip = viewer.locator(".tip:visible")
    expect(tip).to_have_text(re.compile(r"Chunk 11\s+120 tokens · page 3\s+characters 5,000–5,480"))
    assert viewer.locator(".viewer .column").nth(1).locator(".piece.hot").count() >= 1
    viewer.mouse.move(5, 5)
    expect(viewer.locator(".piece.hot")).to_have_count(0)


def test_hovering_an_overlap_tells_of_both_chunks(viewer: Page) -> None:
    viewer.locator(".viewer .column").first.locator(".piece.shared").first.hover()
    expect(viewer.locator(".tip:visible")).to_have_text(re.compile(r"Overlap\s+Chunk 11 .*\s+Chunk 12 "))


def test_a_click_picks_a_chunk_and_a_second_click_on_an_overlap_the_other(viewer: Page) -> None:
    shared = viewer.locator(".viewer .column").first.locator(".piece.shared").first
    shared.click()
    expect(viewer.get_by_text("picked: a 11")).to_be_visible()
    shared.click()
    expect(viewer.get_by_text("picked: a 10")).to_be_visible()
    assert "chosen" in (shared.get_attribute("class") or "")


def test_arrow_keys_go_from_chunk_to_chunk(viewer: Page) -> None:
    text = column_texts(viewer)[2]
    text.focus()
    for _ in range(3):
        text.press("ArrowRight")
    expect(viewer.get_by_text("picked: c 12")).to_be_visible()
    text.press("ArrowLeft")
    expect(viewer.get_by_text("picked: c 11")).to_be_visible()


def test_columns_scroll_in_step_by_the_character_at_the_top(viewer: Page) -> None:
    texts = column_texts(viewer)
    texts[2].hover()
    for _ in range(6):
        viewer.mouse.wheel(0, 300)
        viewer.wait_for_timeout(120)
    viewer.wait_for_timeout(400)
    tops = [column.evaluate(FIRST_VISIBLE) for column in texts]
    assert tops[2] > 1000
    # A line holds some 45 characters; the same character is at the top within a line.
    assert max(tops) - min(tops) < 90, tops


FIRST_VISIBLE = """text => {
  const edge = text.getBoundingClientRect().top + 8;
  const walker = document.createTreeWalker(text, NodeFilter.SHOW_TEXT);
  const range = document.createRange();
  let before = 0;
  for (let node = walker.nextNode(); node; before += node.length, node = walker.nextNode()) {
    if (node.parentElement.getBoundingClientRect().bottom <= edge) continue;
    for (let i = 0; i < node.length; i += 1) {
      range.setStart(node, i);
      range.setEnd(node, i + 1);
      if (range.getBoundingClientRect().top + 14 > edge) return before + i;
    }
  }
  return before;
}"""


def test_selected_text_gives_exact_offsets_beyond_emoji_and_cut_marks(viewer: Page) -> None:
    text = column_texts(viewer)[3]
    text.locator("xpath=.").evaluate("""text => {
      const range = document.createRange();
      const pieces = [...text.querySelectorAll('.piece')].filter((p) => p.textContent.length > 20);
      range.setStart(pieces[1].firstChild, 3);
      range.setEnd(pieces[5].firstChild, 7);
      document.getSelection().removeAllRanges();
      document.getSelection().addRange(range);
      text.dispatchEvent(new PointerEvent('pointerup', {bubbles: true, composed: true}));
    }""")
    found = viewer.get_by_text(re.compile(r"selected: d \d+ \d+ True"))
    expect(found).to_be_visible()


def test_selected_cells_of_a_table_give_exact_offsets_and_lead_to_their_chunk(
    viewer: Page,
) -> None:
    text = column_texts(viewer)[3]
    text.evaluate("""text => {
      const [first, second] = text.querySelectorAll('.gap');
      const range = document.createRange();
      range.setStart(first.previousSibling.firstChild, 2);
      range.setEnd(second.nextSibling.firstChild, 3);
      document.getSelection().removeAllRanges();
      document.getSelection().addRange(range);
      text.dispatchEvent(new PointerEvent('pointerup', {bubbles: true, composed: true}));
    }""")
    expect(viewer.get_by_text(re.compile(r"selected: d \d+ \d+ True"))).to_be_visible()
    viewer.evaluate("document.getSelection().removeAllRanges()")
    # A chunk that is one piece of several cells is clicked, left and come back to.
    other = column_texts(viewer)[1]
    other.locator(".gap").first.click()
    picked = viewer.get_by_text(re.compile(r"picked: b \d+"))
    before = picked.inner_text()
    for key in ("ArrowRight", "ArrowLeft"):
        other.press(key)
        viewer.wait_for_timeout(400)
    expect(picked).to_have_text(before)


def test_other_columns_keep_the_place_in_the_text(viewer: Page) -> None:
    texts = column_texts(viewer)
    texts[0].hover()
    viewer.mouse.wheel(0, 900)
    viewer.wait_for_timeout(400)
    before = texts[0].evaluate("e => e.scrollTop")
    assert before > 400
    viewer.get_by_role("radio", name="2").click()
    expect(viewer.locator(".viewer .text")).to_have_count(2)
    viewer.wait_for_timeout(300)
    assert column_texts(viewer)[1].evaluate("e => e.scrollTop") > 200


def test_a_column_that_did_not_change_stays_as_it_is(viewer: Page) -> None:
    for text in column_texts(viewer):
        text.evaluate("e => { e.kept = true; e.scrollTop = 300; }")
    viewer.locator(".viewer .column").nth(1).locator(".piece.owned").nth(2).click()
    expect(viewer.get_by_text("picked: b")).to_be_visible()
    count = viewer.locator(".viewer .count").first
    before = count.inner_text()
    viewer.get_by_role("slider").focus()
    viewer.keyboard.press("ArrowRight")
    expect(count).not_to_have_text(before)
    kept = [text.evaluate("e => [e.kept === true, e.scrollTop]") for text in column_texts(viewer)]
    assert kept == [[False, 300], [True, 300], [True, 300], [True, 300]]
    # Nothing is left of what was lit or chosen in them.
    expect(viewer.locator(".viewer .chosen")).to_have_count(0)
    assert len({text.evaluate("e => e.textContent") for text in column_texts(viewer)}) == 1


def test_four_columns_stay_readable_on_a_narrow_screen(streamlit_server: Server, new_page: NewPage) -> None:
    page = new_page(width=900)
    opened(page, streamlit_server(APPS / "chunk_viewer_app.py"), ".viewer .piece")
    widths = [column.bounding_box() for column in column_texts(page)]
    assert all(box and box["width"] > 190 for box in widths)
    assert page.evaluate("document.documentElement.scrollWidth") <= 900


# ── chunks on a page ─────────────────────────────────────────────────────────────────────────────────────────────


@pytest.fixture
def sheet(streamlit_server: Server, browser_page: Page) -> Page:
    opened(browser_page, streamlit_server(APPS / "page_viewer_app.py"), ".page .chunk")
    return browser_page


def test_a_chunk_on_the_page_is_hovered_and_clicked(sheet: Page) -> None:
    third = sheet.locator(".page .chunk").nth(2)
    third.locator("rect").nth(2).hover()
    expect(sheet.locator(".tip:visible")).to_have_text(re.compile(r"Chunk 3 <b>\s+122 tokens"))
    third.locator("rect").nth(2).click()
    expect(sheet.get_by_text("picked: 2")).to_be_visible()
    assert "chosen" in (third.get_attribute("class") or "")
    expect(sheet.locator("figcaption")).to_have_text("Page 3 of 12")
    assert sheet.locator(".page img").get_attribute("alt") == "Page 3 of 12"


def test_a_chunk_on_the_page_is_picked_with_the_keyboard(sheet: Page) -> None:
    sheet.locator(".page .chunk").nth(4).focus()
    sheet.keyboard.press("Enter")
    expect(sheet.get_by_text("picked: 4")).to_be_visible()


def test_the_neighbours_of_a_hit_are_dimmed(sheet: Page) -> None:
    sheet.get_by_role("radio", name="hit").click()
    expect(sheet.locator(".page .chunk.hit")).to_have_count(1)
    expect(sheet.locator(".page .chunk.dim")).to_have_count(5)
    expect(sheet.locator(".page .mark")).to_have_count(1)


def test_dragging_marks_a_rectangle_in_points(sheet: Page) -> None:
    sheet.get_by_role("radio", name="mark").click()
    expect(sheet.locator(".sheet.markable")).to_be_visible()
    box = sheet.locator(".page svg").bounding_box()
    assert box is not None
    scale = box["width"] / 595
    sheet.mouse.move(box["x"] + 100 * scale, box["y"] + 100 * scale)
    sheet.mouse.down()
    sheet.mouse.move(box["x"] + 220 * scale, box["y"] + 180 * scale, steps=5)
    sheet.mouse.up()
    found = sheet.get_by_text(re.compile(r"rectangle: \("))
    expect(found).to_be_visible()
    values = [float(v) for v in re.findall(r"\d+\.\d+", found.inner_text())]
    assert values == pytest.approx([100, 100, 220, 180], abs=1.5)


# ── the map ──────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.fixture
def atlas(streamlit_server: Server, browser_page: Page) -> Page:
    opened(browser_page, streamlit_server(APPS / "scatter_map_app.py"), ".map[data-camera]")
    browser_page.wait_for_timeout(500)
    return browser_page


def camera(page: Page) -> str:
    page.wait_for_timeout(250)
    return page.locator(".map").get_attribute("data-camera") or ""


def on_map(page: Page, right: float, down: float) -> tuple[float, float]:
    """Return the screen position at shares of the map's width and height."""
    box = page.locator(".map .canvas").bounding_box()
    assert box is not None
    return box["x"] + right * box["width"], box["y"] + down * box["height"]


def lasso(page: Page) -> None:
    corners = [(0.3, 0.1), (0.7, 0.1), (0.7, 0.9), (0.3, 0.9), (0.3, 0.12)]
    page.mouse.move(*on_map(page, *corners[0]))
    page.mouse.down()
    for corner in corners[1:]:
        page.mouse.move(*on_map(page, *corner), steps=4)
    page.mouse.up()


def test_a_lasso_selects_and_escape_takes_it_back(atlas: Page) -> None:
    lasso(atlas)
    found = atlas.get_by_text(re.compile(r"lasso: [1-9]\d{3,}"))
    expect(found).to_be_visible()
    expect(atlas.locator(".map .said")).to_have_text(re.compile(r"[\d,]+ of 20,000 chunks selected"))
    atlas.locator(".map .canvas").press("Escape")
    expect(atlas.get_by_text("lasso: 0")).to_be_visible()
    expect(atlas.locator(".map .said")).to_have_text("20,000 chunks")


def test_the_view_stays_when_hits_and_colours_change_and_goes_with_the_points(atlas: Page) -> None:
    first = camera(atlas)
    atlas.mouse.move(*on_map(atlas, 0.5, 0.5))
    atlas.mouse.wheel(0, -200)
    zoomed = camera(atlas)
    assert zoomed != first
    atlas.get_by_text("Hits", exact=True).click()
    atlas.get_by_role("radio", name="length").click()
    expect(atlas.locator(".map .scale")).to_be_visible()
    assert camera(atlas) == zoomed
    atlas.get_by_text("Other points", exact=True).click()
    expect(atlas.locator(".map")).not_to_have_attribute("data-camera", zoomed)


def test_the_toolbar_and_the_mouse_move_the_map(atlas: Page) -> None:
    first = camera(atlas)
    atlas.get_by_title("Zoom in").click()
    assert camera(atlas) != first
    atlas.get_by_title("Show everything again").click()
    assert camera(atlas) == first
    atlas.get_by_role("button", name="Drag the map").click()
    atlas.mouse.move(*on_map(atlas, 0.5, 0.5))
    atlas.mouse.down()
    atlas.mouse.move(*on_map(atlas, 0.6, 0.6), steps=4)
    atlas.mouse.up()
    assert camera(atlas) != first
    atlas.mouse.dblclick(*on_map(atlas, 0.02, 0.05))
    assert camera(atlas) == first


def test_a_point_is_hovered_and_clicked(atlas: Page) -> None:
    lasso_free = on_map(atlas, 0.5, 0.5)
    atlas.mouse.move(*lasso_free)
    for _ in range(3):
        atlas.mouse.wheel(0, -100)
    atlas.wait_for_timeout(300)
    box = atlas.locator(".map .canvas").bounding_box()
    assert box is not None
    # Step over the cloud until the pointer stands on a point.
    for step in range(80):
        x, y = on_map(atlas, 0.35 + 0.004 * step, 0.5)
        atlas.mouse.move(x, y)
        if atlas.locator(".tip:visible").count():
            break
    tip = atlas.locator(".tip:visible")
    expect(tip).to_have_text(re.compile(r"Chunk \d+ begins with these words"))
    number = (re.search(r"Chunk (\d+)", tip.inner_text()) or [None, "?"])[1]
    atlas.mouse.down()
    atlas.mouse.up()
    expect(atlas.get_by_text(f"point: {number}", exact=True)).to_be_visible()


def test_names_of_groups_are_text_and_dim_the_others(atlas: Page) -> None:
    chip = atlas.locator(".map .chip").first
    assert "<i>" in chip.inner_text()
    chip.click()
    expect(chip).to_have_attribute("aria-pressed", "true")
    expect(atlas.locator(".map .legend.some")).to_be_visible()
    expect(atlas.locator(".map .chip")).to_have_count(8)


# ── messages and jobs ────────────────────────────────────────────────────────────────────────────────────────────


def test_text_of_a_file_never_becomes_markup(streamlit_server: Server, browser_page: Page) -> None:
    page = browser_page
    opened(page, streamlit_server(APPS / "charts_app.py"), "[data-testid=stAlert]")
    alert = page.locator("[data-testid=stAlert]").first
    shown = alert.locator("[data-testid=stMarkdownContainer]").inner_text().replace("\u2060", "")
    assert (
        ":smile: **bold** [link](http://example.org) http://example.org www.example.org a@example.org"
        in shown
    )
    assert (
        "$x^2$ :red[red] :material/home: `code` <b>html</b> -> <- -- >= <= ~= ![i](x.png) _u_ 1. #h" in shown
    )
    for tag in ("a", "strong", "em", "code", "img", "b", "del", ".katex", "[role=img]"):
        assert alert.locator(f"[data-testid=stMarkdownContainer] {tag}").count() == 0, tag
    assert "secret detail" not in page.locator("body").inner_text()


def test_a_job_outlives_a_reload_and_its_end_runs_the_page_once(
    streamlit_server: Server, browser_page: Page, tmp_path: Path
) -> None:
    page = browser_page
    opened(page, f"{streamlit_server(APPS / 'jobs_app.py')}/?folder={tmp_path}", "[data-testid=stButton]")
    page.get_by_role("button", name="Start").click()
    expect(page.get_by_text("Build **handbook**")).to_be_visible()
    page.reload()
    expect(page.get_by_text(re.compile(r"of 100 chunks"))).to_be_visible()
    runs = page.get_by_text(re.compile(r"runs: \d+")).inner_text()
    (tmp_path / "go").touch()
    expect(page.get_by_text(re.compile(r"100 chunks written"))).to_be_visible()
    expect(page.get_by_text(f"runs: {int(runs.split()[1]) + 1}")).to_be_visible()
    expect(page.get_by_role("button", name="Cancel")).to_have_count(0)


def test_a_job_is_cancelled_from_another_session(
    streamlit_server: Server, new_page: NewPage, tmp_path: Path
) -> None:
    address = f"{streamlit_server(APPS / 'jobs_app.py')}/?folder={tmp_path}"
    first, second = new_page(), new_page()
    opened(second, address, "[data-testid=stButton]")
    opened(first, address, "[data-testid=stButton]")
    first.get_by_role("button", name="Start").click()
    second.get_by_role("button", name="Cancel").click()
    expect(first.get_by_text(re.compile("stopped; what was finished is kept"))).to_be_visible()
    expect(second.get_by_text(re.compile("stopped; what was finished is kept"))).to_be_visible()


# ── looks ────────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [1440, 900])
def test_the_components_fit_the_screen(
    streamlit_server: Server, new_page: NewPage, pictures: Path, scheme: str, width: int
) -> None:
    ready = {
        "chunk_viewer": ".viewer .piece",
        "page_viewer": ".page .chunk",
        "scatter_map": ".map[data-camera]",
    }
    for name, drawn in ready.items():
        page = new_page(width=width, scheme=scheme)
        opened(page, streamlit_server(APPS / f"{name}_app.py"), drawn)
        page.wait_for_timeout(600)
        page.screenshot(path=pictures / f"{name}_{scheme}_{width}.png")
        assert page.evaluate("document.documentElement.scrollWidth") <= width
