"""`--engine ray`: actors evaluate, one process asks and tells; a lost actor's trial is another's."""

import os
import sys
from collections import Counter
from functools import partial
from importlib.util import find_spec
from pathlib import Path

import pytest

from search.cli import main
from studies import Stop, Study

sys.path.insert(0, str(Path(__file__).parents[2] / "studies"))

from closed_form import SIXTY, Arithmetic, config, story
from deadly import Deadly

if find_spec("ray") is None:
    pytest.skip("needs the extra `ray`", allow_module_level=True)

from search.workers.cluster import Cluster, connected

ROOT = Path(__file__).parents[3]
CONFIG = config(space=SIXTY, sampler="exhaustive")


@pytest.fixture(autouse=True)
def importable(monkeypatch):
    """Actors find the tests' evaluator where this process does."""
    monkeypatch.setenv(
        "PYTHONPATH", os.pathsep.join(map(str, (ROOT, ROOT / "tests" / "studies", ROOT / "tests" / "search")))
    )


def run(place, trials, **made):
    study = Study.open(place / "s", CONFIG)
    hands = Cluster(partial(Deadly, folder=str(place), **made), CONFIG, 2)
    stopped = study.run(Arithmetic(), Stop(trials=trials), hands=hands)
    return study, stopped


def test_actors_measure_what_a_process_alone_does_and_killed_ones_lose_nothing(tmp_path):
    alone = Study.open(tmp_path / "alone", CONFIG)
    alone.run(Arithmetic(), Stop(trials=16))
    texts = [record.candidate for record in alone.records()]
    study, stopped = run(tmp_path, 16, once=(texts[5], texts[9]))
    assert (stopped.reason, stopped.evaluated) == ("trials", 16)
    assert story(study.records()) == story(alone.records())
    assert len(list(tmp_path.glob("died over *"))) == 2


def test_a_candidate_that_kills_every_actor_fails_and_the_others_go_on(tmp_path):
    always = str(next(iter(SIXTY.enumerate())))
    study, _ = run(tmp_path, 60, always=always)
    states = Counter(record.state for record in study.records())
    assert states["complete"] == 59
    failed = next(record for record in study.records() if record.state == "failed")
    assert (failed.candidate, failed.reason) == (always, "5 workers died while they evaluated it")


def test_a_cluster_of_our_own_listens_on_this_host_alone():
    with connected(None) as ray:
        addresses = {node["NodeManagerAddress"] for node in ray.nodes()}
        assert addresses == {"127.0.0.1"}
        assert ray.get_runtime_context().gcs_address.startswith("127.0.0.1:")
        assert not ray._private.worker._global_node.webui_url


def test_what_does_not_fit_together_is_refused(study, capsys):
    assert main(["run", "--address", "here:1", "--out", "x"]) == 2
    assert "--address: got 'here:1'; hint: it goes with --engine ray" in capsys.readouterr().err
    assert main(["run", "--engine", "rya", "--out", "x"]) == 2
    assert "did you mean 'ray'?" in capsys.readouterr().err


def test_without_ray_the_extra_is_named(study, monkeypatch, capsys):
    monkeypatch.setitem(sys.modules, "ray", None)
    assert main(["run", "--engine", "ray", "--trials", "2", "--out", "x"]) == 2
    assert "--engine ray; expected the package ray; hint: pip install 'bitfront[ray]'" in capsys.readouterr().err
