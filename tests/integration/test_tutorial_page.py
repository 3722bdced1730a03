"""The tutorial, from the first command to the exported network, at a budget of seconds."""

import json

from pages import ROOT, blocks, commands, own_images, run, small

PAGE = ROOT / "docs" / "tutorial.md"


def test_every_step_works_after_the_one_before(tmp_path, mnist5k):
    own_images(tmp_path, mnist5k)
    for command in commands(PAGE):
        assert run(["-m", "search", *small(command)], tmp_path).stdout.strip(), command
    assert json.loads((tmp_path / "exported" / "verify.json").read_text())["deployable"] is True
    assert "<html" in (tmp_path / "runs" / "cifar" / "report.html").read_text()[:2000]
    [program] = blocks(PAGE, "python")
    assert run(["-c", program], tmp_path).stdout.startswith("[")


def test_it_goes_through_every_step_of_a_users_way():
    named = [command[0] for command in commands(PAGE)]
    assert named == ["cost", "--dataset", "report", "confirm", "select", "evaluate", "export"]
