"""The pages for learners: their commands run, their links lead somewhere."""

import re
from pathlib import Path

import pytest
from pages import ROOT, commands, run, small

PAGES = [ROOT / "docs" / f"{name}.md" for name in ("threat_models", "read_a_front")]
LINKING = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_commands_run_in_the_order_of_the_page(page, tmp_path):
    assert commands(page)
    for command in commands(page):
        assert run(["-m", "search", *small(command)], tmp_path).stdout.strip(), command


def anchors(page: Path) -> set[str]:
    """What headings are linked by, as code hosts make it."""
    headings = re.findall(r"^#+ (.*)$", page.read_text(), flags=re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("page", LINKING, ids=lambda page: str(page.relative_to(ROOT)))
def test_links_lead_somewhere(page):
    for target in re.findall(r"\]\(([^)\s]+)\)", page.read_text()):
        if "://" in target:
            continue
        path, _, anchor = target.partition("#")
        there = (page.parent / path).resolve() if path else page
        assert there.exists(), target
        assert not anchor or anchor in anchors(there), target
