"""Claims of the papers, measured as they were made, under plain PGD, and in the worst case.

    python benchmarks/honest_robustness.py --mnist mnist.npz --cifar cifar10.npz

Prints and runs one `python -m search evaluate` after the other, and writes docs/honest_robustness.csv and .png. What
was measured already is kept in --runs, a file per command; delete the folder to measure again.
"""

import argparse
import csv
import json
import shlex
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any

from honest_claims import CLAIMS, Claim
from honest_picture import draw

from evaluators import AttackSpec, Budget, open_evaluator
from search.plots.style import save
from space import Candidate

IMAGES = 400
AUDIT = ("--images=200", "--steps=50", "--restarts=2", "--queries=1000")
BEHIND = {"fgsm_behind": "fgsm", "pgd_behind": "pgd_naive"}
"""Columns whose attacker stands behind the discretizer, and their objectives."""
BOUNDED = ("attacked", "naive", "worst")
"""Columns with a 95 % interval beside them."""


@dataclass(frozen=True, kw_only=True)
class Bench:
    """Where things are, and what has been measured.

    Attributes:
        files: data set of each name.
        runs: a file per command.
        cache: trained members; None for the user's own.
    """

    files: Mapping[str, str]
    runs: Path
    cache: Path | None

    def evaluate(self, claim: Claim, candidate: str, epsilon: str, names: Sequence[str], threat: str = "raw") -> Any:
        """What `evaluate --json` prints of the objectives `names`, now or earlier."""
        words = [candidate, *self._flags(claim, epsilon, {"images": IMAGES, "threat": threat})]
        return self._kept([*words, f"--objectives={','.join(names)}"], "evaluate")

    def audit(self, claim: Claim, candidate: str, epsilon: str) -> Any:
        """What `audit --json` prints of the candidate, now or earlier."""
        words = [candidate, *self._flags(claim, epsilon, {}), *AUDIT, *claim.effort]
        return self._kept(words, "audit")["entries"][0]

    def transferred(self, claim: Claim, candidate: str) -> Any:
        """Carlini and Wagner's attack crafted on the full-precision network, as EMPIR's authors' code does."""
        return self._kept([candidate, claim.dataset, "cw_on_fp"], lambda: self._judge(claim, candidate))

    def _flags(self, claim: Claim, epsilon: str, further: Mapping[str, Any]) -> list[str]:
        epochs, images = claim.budget
        flags: dict[str, Any] = {"dataset": self.files[claim.dataset], "network": claim.network, "epsilon": epsilon}
        flags |= {"epochs": epochs, "train-images": images, **further}
        flags |= {"source": f"fp{claim.width}"} if claim.width else {}
        return [f"--{name}={value}" for name, value in flags.items()]

    def _kept(self, words: list[str], measure: str | Callable[[], Any]) -> Any:
        """What a command printed or a function gave, now or earlier."""
        path = self.runs / f"{sha256(' '.join(words).encode()).hexdigest()[:16]}.json"
        if not path.is_file():
            answer = self._run([measure, *words]) if isinstance(measure, str) else measure()
            path.write_text(json.dumps({"arguments": words, "answer": answer}, indent=1), encoding="utf-8")
        return json.loads(path.read_text(encoding="utf-8"))["answer"]

    def _run(self, words: list[str]) -> Any:
        place = [f"--cache={self.cache}"] if self.cache else []
        command = ["-m", "search", *words, *place, "--json"]
        print(shlex.join(["python", *command]), flush=True)
        return json.loads(subprocess.run([sys.executable, *command], check=True, stdout=subprocess.PIPE).stdout)

    def _judge(self, claim: Claim, candidate: str) -> Any:
        epochs, images = claim.budget
        budget = Budget(epochs=epochs, train_images=images)
        source = Candidate.parse(f"fp{claim.width}")
        evaluator = open_evaluator(
            dataset=self.files[claim.dataset],
            network=claim.network,
            source=str(source),
            budget=budget,
            cache=self.cache,
        )
        spec = AttackSpec(name="cw", steps=50, source=source)
        (found,) = evaluator.judge(Candidate.parse(candidate), [spec], images=IMAGES)
        return {"measurements": {"cw_on_fp": found.to_json()}}


def row(bench: Bench, claim: Claim, candidate: str, epsilon: str) -> dict[str, Any]:
    """A line of the table: everything that was measured of one candidate at one radius."""
    own = [name for name in claim.beside if name not in BEHIND]
    found = bench.evaluate(claim, candidate, epsilon, ["acc", *own, "pgd"])
    values = dict(found["measurements"])
    values |= _behind(bench, claim, candidate, epsilon) if set(claim.beside) & set(BEHIND) else {}
    values |= _farthest(bench, claim, candidate) if epsilon == claim.epsilons[-1] else {}
    values |= {"attacked": values[claim.attack], "naive": values["pgd_naive"], "worst": values["pgd"]}
    epochs, images = claim.budget
    line: dict[str, Any] = {"claim": claim.name, "candidate": candidate, "epsilon": epsilon, "network": claim.network}
    line |= {"epochs": epochs, "train_images": images, "images": values["pgd"]["n"], "attack": claim.attack}
    line |= {name: values[name]["value"] if name in values else "" for name in COLUMNS}
    for name in BOUNDED:
        line[f"{name}_low"], line[f"{name}_high"] = values[name]["interval"]
    line |= _audited(bench, claim, candidate, epsilon)
    seconds = sum(values[name]["seconds"] for name in ("certified", "pgd_naive", "pgd"))
    return line | {
        "gap": found["gap"],
        "verdict": found["verdict"],
        "rules": " ".join(found["rules"]),
        "seconds": seconds,
    }


COLUMNS = ("acc", "attacked", "naive", "worst", "certified", "fgsm", "transfer", "cw", "cw_on_fp", *BEHIND)
"""Accuracies, as fractions."""


def _behind(bench: Bench, claim: Claim, candidate: str, epsilon: str) -> dict[str, Any]:
    """FGSM and plain PGD where the paper has its attacker, behind the discretizer."""
    found = bench.evaluate(claim, candidate, epsilon, list(BEHIND.values()), threat="discretised")["measurements"]
    return {column: found[name] for column, name in BEHIND.items()}


def _farthest(bench: Bench, claim: Claim, candidate: str) -> dict[str, Any]:
    """What attacks without a radius leave standing."""
    found: dict[str, Any] = {}
    if "cw" in claim.farthest:
        found |= bench.evaluate(claim, candidate, claim.epsilons[-1], ["cw"])["measurements"]
    if "cw_on_fp" in claim.farthest and "+" in candidate:
        found |= bench.transferred(claim, candidate)["measurements"]
    return found


def _audited(bench: Bench, claim: Claim, candidate: str, epsilon: str) -> dict[str, Any]:
    """The worst case on test images under the audit's attacks; empty where there was no audit."""
    names = ("verified", "verified_low", "verified_high", "verified_images", "verified_verdict")
    if (candidate.removesuffix(claim.width), epsilon) not in claim.audited:
        return dict.fromkeys(names, "")
    found = bench.audit(claim, candidate, epsilon)
    worst = found["worst"]
    values = (worst["value"], *worst["interval"], worst["n"], found["verdict"])
    return dict(zip(names, values, strict=True))


def table(bench: Bench, claims: Sequence[Claim]) -> Iterator[dict[str, Any]]:
    """Every line of the claims, in their order."""
    for claim in claims:
        for epsilon in claim.epsilons:
            for candidate in claim.candidates:
                yield row(bench, claim, f"{candidate}{claim.width}", epsilon)


def write(lines: Sequence[Mapping[str, Any]], path: Path) -> None:
    """The table as CSV, and its picture beside it, drawn from what was written."""
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, list(lines[0]), lineterminator="\n")
        writer.writeheader()
        writer.writerows(lines)
    with path.open(encoding="utf-8", newline="") as file:
        titles = {claim.name: claim.title for claim in CLAIMS}
        save(draw(list(csv.DictReader(file)), titles), path.with_suffix(".png"))


HEADER = ("candidate", "ε", "clean", "the paper's attack", "plain PGD", "worst case", "gap", "certified", "verdict")
"""Of the tables that docs/honest_robustness.md has."""


def markdown(lines: Sequence[Mapping[str, Any]]) -> str:
    """A table per claim, in percent."""
    parts = []
    for claim in CLAIMS:
        rows = [_cells(line) for line in lines if line["claim"] == claim.name]
        texts = [" | ".join(cells) for cells in (HEADER, ["---"] * len(HEADER), *rows)]
        parts += ["\n".join([f"{claim.title} ({claim.attack})", *(f"| {text} |" for text in texts)])] if rows else []
    return "\n\n".join(parts).replace("| --- |", "|---|").replace(" --- |", "---|")


def _cells(line: Mapping[str, Any]) -> list[str]:
    figures = {name: f"{100 * float(line[name]):.1f}" for name in ("acc", "attacked", "gap", "certified")}
    for name in ("naive", "worst"):
        low, high = (f"{100 * float(line[f'{name}_{side}']):.1f}" for side in ("low", "high"))
        figures[name] = f"{100 * float(line[name]):.1f} ({low} to {high})"
    links = ", ".join(f"[{rule}](robustness_flags.md#{rule})" for rule in line["rules"].split())
    verdict = f"{line['verdict']}: {links}" if links else line["verdict"]
    names = ("acc", "attacked", "naive", "worst", "gap", "certified")
    return [f"`{line['candidate']}`", line["epsilon"], *(figures[name] for name in names), verdict]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--mnist", default="mnist", help="data set or FILE.npz (default: mnist)")
    parser.add_argument("--cifar", default="cifar10", help="data set or FILE.npz (default: cifar10)")
    parser.add_argument("--cache", type=Path, help="where trained members are kept (default: per user)")
    parser.add_argument("--runs", type=Path, default=Path("runs/honest_robustness"))
    parser.add_argument("--out", type=Path, default=Path("docs/honest_robustness.csv"))
    parser.add_argument("--only", action="append", choices=[claim.name for claim in CLAIMS], help="may be given again")
    args = parser.parse_args()

    args.runs.mkdir(parents=True, exist_ok=True)
    bench = Bench(files={"mnist": args.mnist, "cifar": args.cifar}, runs=args.runs, cache=args.cache)
    claims = [claim for claim in CLAIMS if not args.only or claim.name in args.only]
    lines = list(table(bench, claims))
    write(lines, args.out)
    print(markdown(lines))


if __name__ == "__main__":
    main()
