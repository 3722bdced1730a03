"""Bad inputs and what each is answered. `python tests/corpus/corpus.py` writes the answers anew: say why in the commit.

`commands.json` holds the words of every command line with the kind of its fault, `files/` what they name. Each is one
call of the program, which must end with status 2 and the one line that `answers.json` holds.
"""

import contextlib
import io
import json
import os
import shutil
import sys
import tempfile
import traceback
import warnings
from pathlib import Path

HERE = Path(__file__).parent
COMMANDS, ANSWERS = HERE / "commands.json", HERE / "answers.json"


def commands() -> list[list[str]]:
    """The words of every command line."""
    return [case["words"] for case in json.loads(COMMANDS.read_text(encoding="utf-8"))]


def name_of(words: list[str]) -> str:
    """A command line as the key of its answer; a long word is cut and its length told."""
    return " ".join(json.dumps(word if len(word) <= 120 else f"{word[:60]}… {len(word)} characters") for word in words)


@contextlib.contextmanager
def scene(folder: Path):
    """Work in a folder that holds the corpus's files, with a cache of its own, away from the user's."""
    shutil.copytree(HERE / "files", folder / "files")
    before, environment = Path.cwd(), dict(os.environ)
    os.environ.update(BITFRONT_CACHE=str(folder / "cache"), HOME=str(folder), COLUMNS="80")
    os.chdir(folder)
    try:
        yield
    finally:
        os.chdir(before)
        os.environ.clear()
        os.environ.update(environment)


def answer(words: list[str]) -> tuple[object, str, str]:
    """Exit status, stdout and stderr of a command line, in this process; a traceback where it raised."""
    from search.cli import main

    out, err = io.StringIO(), io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err), warnings.catch_warnings():
        warnings.simplefilter("error")
        try:
            status: object = main(words)
        except SystemExit as left:
            status = left.code
        except BaseException:
            status = traceback.format_exc()
    return status, out.getvalue(), err.getvalue()


def main() -> int:
    """Write answers.json, unless a command line was not refused as it must be."""
    answers, bad = {}, 0
    with tempfile.TemporaryDirectory() as folder, scene(Path(folder)):
        for words in commands():
            status, out, err = answer(words)
            if status != 2 or out or err.count("\n") != 1:
                bad += 1
                print(f"{name_of(words)}\n  status {status}\n  {out[:200]!r}\n  {err[:300]!r}", file=sys.stderr)
            answers[name_of(words)] = err.removeprefix("bitfront: error: ").rstrip("\n")
    if not bad:
        ANSWERS.write_text(json.dumps(answers, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    return min(bad, 1)


if __name__ == "__main__":
    sys.path.insert(0, str(HERE.parents[1]))
    sys.exit(main())
