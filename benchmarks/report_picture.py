"""Draws docs/report.png: the first screens of a study's report, as Chromium shows them.

python benchmarks/report_picture.py runs/mnist5k-mnistconv
"""

import sys
import tempfile
from pathlib import Path

from search.report import document_of, page_of
from studies import Study

PICTURE = Path(__file__).parents[1] / "docs" / "report.png"
CHROMIUM = "/usr/bin/chromium"
FLAGS = ("--no-sandbox", "--disable-gpu", "--disable-background-networking", "--no-first-run")
IN_SOFTWARE = ("--use-gl=angle", "--use-angle=swiftshader", "--enable-unsafe-swiftshader")
WIDTH = 1100
"""Pixels across."""


def main(folder: Path) -> None:
    study = Study.load(folder)
    chosen = max(study.front(), key=lambda record: record.measurements["pgd"].value).number
    with tempfile.TemporaryDirectory() as place:
        page = Path(place) / "report.html"
        page.write_text(page_of(document_of(study, chosen)), encoding="utf-8")
        photograph(page, chosen)
    print(f"{PICTURE}: {PICTURE.stat().st_size / 1000:.0f} kB")


def photograph(page: Path, chosen: int) -> None:
    """From the limits to the parallel coordinates, with the chosen candidate marked."""
    from PIL import Image
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=[*FLAGS, *IN_SOFTWARE])
        shown = browser.new_page(viewport={"width": WIDTH, "height": 900})
        shown.goto(f"file://{page}#candidate-{chosen}")
        shown.wait_for_timeout(5000)
        top = shown.evaluate("scrollTo(0, 0), document.querySelector('form').getBoundingClientRect().top - 50")
        parallel = shown.evaluate("document.getElementById('parallel').getBoundingClientRect().bottom")
        clip = {"x": 0, "y": top, "width": WIDTH, "height": parallel - top}
        shown.evaluate("document.getElementById('marked').hidden = true")
        shown.screenshot(path=PICTURE, full_page=True, clip=clip)
        browser.close()
    Image.open(PICTURE).convert("RGB").save(PICTURE, optimize=True)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
