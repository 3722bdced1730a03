"""The flags are a decision: adding one means editing this list."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

from evaluators import DIAGNOSTICS
from evaluators.networks.catalogue import NETWORKS
from search.cli import parse
from search.parser import COMMANDS, build_parser, flags
from space.errors import UserError

ROOT = Path(__file__).parents[2]
COMMON = {"-h", "--help", "--json"}
PROTOCOL = {
    "--dataset",
    "--data-root",
    "--download",
    "--network",
    "--epsilon",
    "--threat",
    "--source",
    "--seed",
    "--device",
    "--cache",
}
PLACE = {"--dataset", "--data-root", "--download", "--device", "--cache"}
BUDGET = {"--epochs", "--train-images", "--images", "--steps", "--restarts"}
STUDY = {
    "--objectives",
    "--cost-model",
    "--space",
    "--trials",
    "--time",
    "--full",
    "--margin",
    "--plateau",
    "--repeats",
    "--sampler",
    "--proposals",
    "--rungs",
    "--limit",
    "--allow-masked",
    "--out",
    "--storage",
    "--workers",
    "--engine",
    "--address",
}
FROZEN = {
    "run": COMMON | PROTOCOL | BUDGET | STUDY,
    "worker": COMMON | PLACE | {"STUDY", "--storage", "--time"},
    "cost": COMMON | {"SPEC", "--network"},
    "evaluate": COMMON | PROTOCOL | BUDGET | {"SPEC", "--objectives", "--cost-model", "--from-lock"},
    "diagnose": COMMON | PROTOCOL | BUDGET | {"SPEC", "--out", "--only", "--alphas"},
    "audit": COMMON
    | PROTOCOL
    | {"STUDY|SPEC", "--out", "--storage", "--epochs", "--train-images"}
    | {"--images", "--steps", "--restarts", "--queries", "--binarized", "--twins"},
    "confirm": COMMON
    | PLACE
    | {"STUDY", "--near", "--out", "--storage", "--seeds", "--epochs", "--train-images"}
    | {"--images", "--steps", "--restarts", "--queries", "--binarized", "--twins"},
    "plot": COMMON | {"STUDY", "--storage"},
    "report": COMMON | PLACE | {"STUDY", "--out", "--images", "--storage"},
    "select": COMMON | {"STUDY", "--limit", "--rule", "--storage", "--interactive", "--unconfirmed"} | PLACE,
    "export": COMMON | PLACE | {"STUDY|LOCK", "--out"},
    "compare": COMMON | {"STUDY", "--out"},
    "reproduce": COMMON | PLACE | {"TABLE", "--scale", "--rows", "--seeds", "--jobs", "--out"},
}


def test_the_flags_are_frozen() -> None:
    assert flags(build_parser()) == FROZEN


def test_help_loads_no_slow_library() -> None:
    code = "import sys; from search.parser import build_parser; build_parser(); print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=ROOT)
    assert not {"torch", "optuna", "numpy", "matplotlib", "rich"} & {*done.stdout.split()}


def test_every_command_says_what_it_does() -> None:
    assert list(FROZEN) == list(COMMANDS)
    overview = build_parser().format_help()
    assert all(command in overview for command in COMMANDS)


def test_help_names_every_network() -> None:
    help_text = build_parser()._subparsers._group_actions[0].choices["cost"].format_help()  # type: ignore[union-attr,index,call-overload]
    words = re.sub(r"-\n +", "-", help_text).split()  # a line may end within a name
    assert {word.strip(",;") for word in words} >= NETWORKS.keys()


@pytest.mark.parametrize("words", [[], ["run"], ["--seed", "0"]])
def test_run_is_meant_where_no_command_is_named(words: list[str]) -> None:
    args = parse(words)
    assert args.command == "run"
    assert args.objectives == ("acc", "pgd", "bops")
    assert (args.dataset, args.space, args.seed, args.network, args.epsilon) == (
        "mnist5k",
        "tiny",
        0,
        None,
        None,
    )


def test_values_reach_the_command() -> None:
    args = parse(["--epsilon", "8/255", "--time", "5m", "--limit", "bops<=2e8", "--limit", "acc>=.8"])
    assert (args.epsilon, args.time, args.limit) == (8 / 255, 300, ["bops<=2e8", "acc>=.8"])


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (
            ["pot", "x"],
            "unknown command: got 'pot'; expected one of "
            "audit, compare, confirm, cost, diagnose, evaluate, export, plot, report, reproduce, run, select, worker; "
            "hint",
        ),
        (["--trails", "3"], "unknown flag of run: got '--trails'; hint: did you mean --trials?"),
        (["--objective=acc"], "unknown flag of run: got '--objective'; hint: did you mean --objectives?"),
        (
            ["select", "x", "--limits=a"],
            "unknown flag of select: got '--limits'; hint: did you mean --limit?",
        ),
        (["--zzz"], "unknown flag of run: got '--zzz'; hint: python -m search run --help lists its flags"),
        (["run", "plot", "x"], "run takes no further words: got 'plot'"),
        (
            ["cost", "fp"],
            "the following arguments are required: --network; hint: python -m search cost --help",
        ),
        (["plot"], "the following arguments are required: STUDY"),
        (["--time"], "argument --time: expected one argument"),
        (["--steps", "many"], "--steps: got 'many'; expected a whole number"),
        (["--rungs", "1,two"], "--rungs: got '1,two'; expected epochs joined by commas; hint: e.g. --rungs 1,2"),
        (["--rungs", "1,,2"], "--rungs: got '1,,2'; expected epochs joined by commas"),
        (["diagnose", "fp"], "the following arguments are required: --out; hint: python -m search diagnose --help"),
        (
            ["diagnose", "fp", "--out", "d", "--only", "step"],
            "unknown diagnostic: got 'step'; expected one of activations, confusion, epsilon, gradients, lipschitz, "
            "steps; hint: did you mean 'steps'?",
        ),
        (["diagnose", "fp", "--out", "d", "--only", "steps,steps"], "--only: got 'steps,steps'; expected names joined"),
        (["diagnose", "fp", "--out", "d", "--only", ""], "--only: got ''; expected names joined by commas"),
        (["diagnose", "fp", "--out", "d", "--alphas", "0.1,0"], "--alphas: got '0.1,0'; expected shares of epsilon"),
        (["diagnose", "fp", "--out", "d", "--alphas", "small"], "--alphas: got 'small'; expected shares of epsilon"),
    ],
)
def test_bad_words_are_refused_in_one_line(words: list[str], message: str) -> None:
    with pytest.raises(UserError) as refusal:
        parse(words)
    assert message in str(refusal.value)
    assert "\n" not in str(refusal.value)


@pytest.mark.parametrize(("words", "rungs"), [([], ()), (["--rungs", ""], ()), (["--rungs", "1, 3"], (1, 3))])
def test_rungs_are_epochs(words: list[str], rungs: tuple[int, ...]) -> None:
    assert parse(words).rungs == rungs


def test_diagnose_takes_names_and_shares() -> None:
    args = parse(["diagnose", "fp", "--out", "d", "--only", "steps, lipschitz", "--alphas", "0.05,1/4"])
    assert (args.only, args.alphas) == (("steps", "lipschitz"), (0.05, 0.25))
    assert parse(["diagnose", "fp", "--out", "d"]).only == tuple(DIAGNOSTICS)


def test_efficiency_is_the_chosen_cost_model_wherever_it_is_named() -> None:
    args = parse(["--objectives", "acc,efficiency", "--cost-model", "baskin", "--limit", "efficiency<=2e8"])
    assert args.objectives == ("acc", "baskin")
    assert args.limit == ["baskin<=2e8"]
    assert parse(["--objectives", "acc,efficiency"]).objectives == ("acc", "bops")


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--cost-model", "baskim"], "unknown cost model: got 'baskim'; .*did you mean 'baskin'"),
        (["--cost-model", "acc"], "unknown cost model: got 'acc'"),
        (["--objectives", "bops,efficiency"], "each name once; hint: efficiency stands for bops"),
    ],
)
def test_a_cost_model_that_is_none_or_stands_twice_is_refused(words: list[str], said: str) -> None:
    with pytest.raises(UserError, match=said):
        parse(words)
