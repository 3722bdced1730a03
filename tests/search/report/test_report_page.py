"""The report in a browser: linked pictures, filters, pages, schemes, and not one request."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from math import dist
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from test_report import hostile_document

from search.report import document_of, page_of
from studies import Study

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

pytestmark = pytest.mark.browser
FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--disable-background-networking", "--no-first-run"]
FLAGS += ["--disable-component-update", "--disable-sync"]
IN_SOFTWARE = ["--use-gl=angle", "--use-angle=swiftshader", "--enable-unsafe-swiftshader"]
Show = Callable[..., "Page"]
DRAWN = "[...document.querySelectorAll('.plot.plane')].every(place => place.data?.length === 2)"


@pytest.fixture(scope="module")
def browsers() -> Iterator[dict[bool, Browser]]:
    """One with WebGL, slow because in software, and one without."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        launch = playwright.chromium.launch
        kinds = {True: IN_SOFTWARE, False: ["--disable-3d-apis"]}
        found = {on: launch(executable_path="/usr/bin/chromium", args=[*FLAGS, *more]) for on, more in kinds.items()}
        yield found
        for one in found.values():
            one.close()


@pytest.fixture
def show(browsers: dict[bool, Browser], tmp_path: Path) -> Iterator[Show]:
    """`show(document, …)`: the page by file://; in the end, nothing was asked for and nothing complained."""
    trouble: list[str] = []
    pages: list[Page] = []

    def shown(document: dict[str, Any], at: str = "", *, webgl: bool = False, **context: Any) -> Page:
        file = tmp_path / f"report{len(pages)}.html"
        file.write_text(page_of(document), encoding="utf-8")
        page = browsers[webgl].new_page(**{"viewport": {"width": 1280, "height": 900}, **context})
        pages.append(page)
        page.set_default_timeout(60_000)
        page.on("console", lambda one: trouble.append(one.text) if one.type == "error" else None)
        page.on("pageerror", lambda one: trouble.append(str(one)))
        page.on("dialog", lambda one: trouble.append(one.message))
        page.on("request", lambda one: trouble.append(one.url) if not local(one.url, file) else None)
        page.goto(f"file://{file}{at}")
        wait(page, DRAWN)
        return page

    yield shown
    for page in pages:
        page.close()
    assert trouble == []


def wait(page: Page, condition: str) -> None:
    """Until an expression holds; the page's policy forbids playwright's own way, which compiles texts in the page."""
    for _ in range(600):
        if page.evaluate(condition):
            return
        page.wait_for_timeout(50)
    raise AssertionError(f"it never came to pass that {condition}")


def local(url: str, file: Path) -> bool:
    return url.startswith(("data:", "blob:")) or url.partition("#")[0] == f"file://{file}"


@pytest.fixture
def document(study: Path) -> dict[str, Any]:
    return document_of(Study.load(study), chosen=3)


def numbers_in(page: Page, place: str) -> set[int]:
    """Numbers of the candidates that a picture shows."""
    found = page.evaluate(f"document.getElementById('{place}').data.flatMap(one => one.customdata ?? [])")
    return {number for number in found if number is not None}


def ring_in(page: Page, place: str) -> list[float]:
    """Where the marked candidate is in a plane, along the horizontal axis."""
    return list(page.evaluate(f"document.getElementById('{place}').layout.shapes.flatMap(one => one.xanchor ?? [])"))


def place_of(page: Page, place: str, number: int) -> tuple[float, float]:
    """Where a candidate lies in a picture, in pixels of the window."""
    script = """([place, number]) => {
        const plot = document.getElementById(place), box = plot.getBoundingClientRect();
        const layout = plot._fullLayout, data = plot.data;
        const trace = data.find(one => one.customdata?.includes(number)), i = trace.customdata.indexOf(number);
        return [box.x + layout.xaxis._offset + layout.xaxis.d2p(trace.x[i]),
                box.y + layout.yaxis._offset + layout.yaxis.d2p(trace.y[i])];
    }"""
    x, y = page.evaluate(script, [place, number])
    return x, y


def test_a_limit_hides_candidates_everywhere(show: Show, document: dict[str, Any]) -> None:
    page = show(document, webgl=True)
    everything = {one["number"] for one in document["points"]}
    assert numbers_in(page, "plane-0") == numbers_in(page, "space") == numbers_in(page, "parallel") == everything
    limit = sorted(one["values"]["acc"] for one in document["points"])[len(everything) // 2]
    left = {one["number"] for one in document["points"] if one["values"]["acc"] >= limit}
    assert 0 < len(left) < len(everything)
    page.fill("input[name=acc]", f"{100 * limit}%")
    wait(page, f"document.getElementById('count').value.startsWith('{len(left)} of {len(everything)} ')")
    for place in ("plane-0", "plane-1", "plane-2", "space", "parallel"):
        assert numbers_in(page, place) == left
    rows = page.evaluate(
        "[...document.querySelectorAll('tr[data-number]')].filter(row => !row.hidden).map(row => +row.dataset.number)"
    )
    assert set(rows) == left
    page.fill("input[name=acc]", "much")
    page.wait_for_selector("input[name=acc][aria-invalid=true]")
    page.click("button[type=reset]")
    wait(page, f"document.getElementById('count').value.startsWith('{len(everything)} of ')")
    page.check("input[name=front]")
    page.wait_for_timeout(300)
    assert numbers_in(page, "plane-1") == {one["number"] for one in document["points"] if one["front"]}


def most_alone(page: Page, document: dict[str, Any]) -> dict[str, Any]:
    """The point of the front that is furthest from all others: some lie on each other."""
    spots = {one["number"]: place_of(page, "plane-1", one["number"]) for one in document["points"]}

    def room(point: dict[str, Any]) -> float:
        return min(dist(spots[point["number"]], spot) for number, spot in spots.items() if number != point["number"])

    return max((one for one in document["points"] if one["front"]), key=room)


def test_a_click_opens_a_page_and_marks_the_candidate_everywhere(show: Show, document: dict[str, Any]) -> None:
    page = show(document, webgl=True)
    assert page.locator("article:visible").count() == 0
    page.evaluate("document.getElementById('plane-1').scrollIntoView({block: 'center'})")
    one = most_alone(page, document)
    page.mouse.move(*place_of(page, "plane-1", one["number"]))
    page.wait_for_timeout(300)
    assert ring_in(page, "plane-0") == [one["values"]["bops"]]
    page.mouse.click(*place_of(page, "plane-1", one["number"]))
    page.wait_for_selector(f"#candidate-{one['number']}.open")
    assert page.locator("article:visible").count() == 1
    assert one["candidate"] in page.locator("article:visible").inner_text()
    page.mouse.move(5, 5)
    page.wait_for_timeout(300)
    for place, name in (("plane-0", "bops"), ("plane-1", "bops"), ("plane-2", "acc")):
        assert ring_in(page, place) == [one["values"][name]]
    assert page.evaluate("document.getElementById('space').data[2].z") == [one["values"]["pgd"]]
    assert page.evaluate("document.getElementById('parallel').layout.shapes.at(-1).type") == "path"
    assert page.locator("tr.marked").count() == 2
    assert page.evaluate("location.hash") == f"#candidate-{one['number']}"
    page.click("#marked button")
    assert page.locator("article:visible").count() == 0
    assert ring_in(page, "plane-0") == []


def test_a_page_is_opened_by_its_address_and_from_the_table(show: Show, document: dict[str, Any]) -> None:
    first, *_, last = (one["number"] for one in document["rows"] if one["front"])
    page = show(document, at=f"#candidate-{first}")
    assert page.locator(f"#candidate-{first}:visible").count() == 1
    page.click(f"a[href='#candidate-{last}'] >> nth=0")
    page.wait_for_selector(f"#candidate-{last}:visible")
    assert page.locator("article:visible").count() == 1


def test_figures_of_a_page_are_drawn_when_it_is_opened(show: Show, document: dict[str, Any]) -> None:
    number = document["details"][0]["number"]
    document["details"][0]["figures"] = [{"title": "growth again", "figure": document["growth"]}]
    page = show(document)
    assert page.locator(".plot .main-svg").count() > 0
    inside = f"#candidate-{number} .plot"
    assert page.locator(f"{inside} svg").count() == 0
    page.evaluate(f"location.hash = 'candidate-{number}'")
    page.wait_for_selector(f"{inside} svg")
    assert page.evaluate(f"document.querySelector('{inside}').clientWidth") > 200


def test_a_phone_shows_no_more_than_its_width(show: Show, document: dict[str, Any]) -> None:
    number = document["points"][0]["number"]
    page = show(
        document, at=f"#candidate-{number}", viewport={"width": 390, "height": 844}, is_mobile=True, has_touch=True
    )
    page.wait_for_timeout(300)
    assert page.evaluate("[innerWidth, document.documentElement.scrollWidth]") == [390, 390]


def test_schemes_change_the_ground_and_the_ink(show: Show, document: dict[str, Any]) -> None:
    page = show(document, color_scheme="dark")
    assert brightness(page) < 60
    assert page.evaluate("document.getElementById('plane-0')._fullLayout.font.color") == "#e6e8eb"
    page.emulate_media(color_scheme="light")
    wait(page, "document.getElementById('plane-0')._fullLayout.font.color === '#1c1e21'")
    assert brightness(page) > 240


def brightness(page: Page) -> float:
    """Of the ground, 0 to 255."""
    colour = page.evaluate("getComputedStyle(document.body).backgroundColor")
    return sum(int(part) for part in colour.strip("rgb()").split(",")) / 3


def test_paper_has_the_table_and_no_controls(show: Show, document: dict[str, Any]) -> None:
    page = show(document, color_scheme="dark")
    page.emulate_media(media="print")
    wait(page, "document.getElementById('plane-0')._fullLayout.font.color === '#000000'")
    assert brightness(page) == 255
    assert page.locator("table >> nth=0").is_visible()
    assert page.locator("tr[data-number]:visible").count() == sum(one["front"] for one in document["rows"])
    assert not page.locator("#filters").is_visible()
    assert not page.locator("#space").is_visible()
    assert page.locator("#plane-0").is_visible()


def test_hostile_texts_do_nothing(show: Show, document: dict[str, Any]) -> None:
    number = document["details"][0]["number"]
    document["details"][0]["figures"] = [{"title": "growth again", "figure": document["growth"]}]
    page = show(hostile_document(document), at=f"#candidate-{number}")
    page.wait_for_timeout(300)
    assert page.locator("img").count() == 0
    assert "<img src=x onerror=alert(1)>" in page.locator("h1").inner_text()
    page.evaluate("document.getElementById('plane-0').scrollIntoView({block: 'center'})")
    page.mouse.move(*place_of(page, "plane-0", number))
    page.wait_for_timeout(300)
    assert page.locator("img, image").count() == 0


def test_masked_candidates_are_hollow_and_suspect_ones_square(show: Show, document: dict[str, Any]) -> None:
    symbols = {"ok": "circle", "suspect": "square", "masked": "circle-open"}
    looks = [list(symbols)[i % 3] for i in range(len(document["points"]))]
    points = [one | {"look": look} for one, look in zip(document["points"], looks, strict=True)]
    page = show(document | {"points": points})
    traces = page.evaluate(
        "document.getElementById('plane-0').data.slice(0, 2).map(one => [one.customdata, one.marker.symbol])"
    )
    drawn = {number: symbol for numbers, marks in traces for number, symbol in zip(numbers, marks, strict=True)}
    assert drawn == {one["number"]: symbols[one["look"]] for one in points}


@pytest.mark.parametrize("objectives", ["acc,bops", "acc,pgd,bops,memory", "acc,pgd,bops,memory,fgsm"])
def test_any_number_of_objectives(show: Show, study: Path, objectives: str, monkeypatch: pytest.MonkeyPatch) -> None:
    from search.cli import main

    assert main(["--space", "space.toml", "--trials", "6", "--objectives", objectives, "--out", "other"]) == 0
    page = show(document_of(Study.load(Path("other"))), webgl=objectives.count(",") == 3)
    count = objectives.count(",") + 1
    assert page.locator(".plane").count() == count * (count - 1) // 2
    assert page.locator("#space").count() == (count > 2)
    assert page.locator("select.axis").count() == (3 if count > 3 else 0)
    if count == 4:
        page.select_option("select.axis >> nth=2", "memory")
        wait(page, "document.getElementById('space').layout.scene.zaxis.title.text === 'memory'")


def test_an_empty_study_and_a_front_of_one(show: Show, document: dict[str, Any]) -> None:
    single = document["points"][0]["number"]
    alone = {name: [one for one in document[name] if one["number"] == single] for name in ("points", "rows", "details")}
    page = show(document | alone)
    assert numbers_in(page, "plane-0") == {single}
    page = show(document | {"points": [], "rows": [], "details": []})
    assert "0 of 0 candidates shown" in page.locator("#count").inner_text()


def test_without_webgl_the_planes_remain(show: Show, document: dict[str, Any]) -> None:
    flat, deep = show(document), show(document, webgl=True)
    assert [page.locator("#flat").is_visible() for page in (flat, deep)] == [True, False]
    assert [page.locator("#space").is_visible() for page in (flat, deep)] == [False, True]
    assert deep.locator("#space canvas").count() > 0
