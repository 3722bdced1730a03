"""A journal that was changed on the disk is never silently used: the line is named, or the end goes again."""

import random
import re
import shlex
import subprocess
import warnings

import optuna
import pytest
from closed_form import Arithmetic, config, story
from optuna.storages import JournalStorage
from optuna.storages.journal import JournalFileBackend

from space.errors import UserError
from studies import Stop, Study, write_outputs
from studies.storage.journal import DamagedLine, DamagedTail, checked, parse

TRIALS = 8


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    """Bytes of an undamaged journal and the story of its records."""
    folder = tmp_path_factory.mktemp("whole")
    return (run(folder), (folder / "journal.log").read_bytes())


def run(folder):
    study = Study.open(folder, config(sampler="random"))
    study.run(Arithmetic(), Stop(trials=TRIALS))
    return story(study.records())


def planted(folder, content):
    folder.mkdir(exist_ok=True)
    (folder / "journal.log").write_bytes(content)
    return folder


def test_every_line_has_a_checksum_that_one_bit_breaks(whole):
    for number, line in enumerate(whole[1].splitlines(keepends=True), 1):
        log = parse(line, number)
        del log["check"]
        assert checked(log) == line
        for at in range(number % 5, len(line) - 1, 5):
            flipped = line[:at] + bytes([line[at] ^ 1 << at % 8]) + line[at + 1 :]
            try:
                found = parse(flipped, number)
            except DamagedLine as error:
                assert str(error).startswith(f"line {number} ")
            else:  # the word "check" itself
                assert {name: found[name] for name in log} == log


def test_a_bit_that_flips_anywhere_is_named_or_goes_again(whole, tmp_path):
    records, journal = whole
    rng, last = random.Random(0), journal.rindex(b"\n", 0, -1) + 1
    places = [*(rng.randrange(last) for _ in range(12)), *(rng.randrange(last, len(journal)) for _ in range(4))]
    # Another name for the check makes a line one of an earlier version, which had none and is read as it is.
    places = [at for at in places if b'"check"' not in journal[at - 6 : at + 7]]
    for case, at in enumerate(places):
        flipped = journal[:at] + bytes([journal[at] ^ 1 << rng.randrange(8)]) + journal[at + 1 :]
        folder = planted(tmp_path / str(case), flipped)
        if at < last - 1:
            line = journal.count(b"\n", 0, at) + 1
            for use in (Study.load, lambda where: run(where)):
                with pytest.raises(UserError, match=f"damaged journal, line ({line}|{line - 1}) "):
                    use(folder)
            assert (folder / "journal.log").read_bytes() == flipped, "refused, and left as it was"
        else:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore", DamagedTail)
                Study.load(folder)
                assert run(folder) == records


@pytest.mark.parametrize("tail", [b"\0" * 700, b"\0" * 64 + b"\n", b'{"op_code":4,"che\n', b"}}}}\n\n\n"])
def test_what_a_power_cut_leaves_at_the_end_is_put_aside_with_a_warning(whole, tmp_path, tail):
    folder = planted(tmp_path / "s", whole[1] + tail)
    with pytest.warns(DamagedTail, match=r"the end of .*journal.log was damaged and is now in journal.log.damaged"):
        assert run(folder) == whole[0]
    assert (folder / "journal.log.damaged").read_bytes() == tail


def test_what_is_put_aside_later_leaves_what_was_put_aside_before(whole, tmp_path):
    folder = planted(tmp_path / "s", whole[1] + b"first\n")
    for tail in (b"", b"second\n"):
        with (folder / "journal.log").open("ab") as file:
            file.write(tail)
        with pytest.warns(DamagedTail):
            run(folder)
    assert (folder / "journal.log.damaged").read_bytes() == b"first\nsecond\n"


def test_nothing_before_a_damaged_first_line_can_be_kept(whole, tmp_path):
    folder = planted(tmp_path / "s", whole[1].replace(b'"op_code":0', b'"op_code":1', 1))
    with pytest.raises(UserError, match=r"line 1 was changed.*hint: take the file from a backup$"):
        Study.load(folder)


def test_the_hint_of_a_damaged_line_mends_the_study(whole, tmp_path):
    records, journal = whole
    lines = journal.splitlines(keepends=True)
    middle = next(at for at in range(len(lines) // 2, len(lines)) if b'"record"' in lines[at])
    lines[middle] = lines[middle].replace(b'"value":0.', b'"value":1.', 1)
    folder = planted(tmp_path / "with space", b"".join(lines))
    with pytest.raises(UserError, match=rf"line {middle + 1} was changed") as caught:
        Study.load(folder)
    command = re.search(r"sed .*", caught.value.args[0])[0]
    subprocess.run(shlex.split(command), check=True)
    assert 0 < len(Study.load(folder).records()) < TRIALS
    assert run(folder) == records


def test_lines_of_earlier_versions_are_still_read(whole, tmp_path):
    plain = re.sub(rb',"check":"[0-9a-f]{8}"\}\n', b"}\n", whole[1])
    assert len(plain) < len(whole[1])
    assert story(Study.load(planted(tmp_path / "s", plain)).records()) == whole[0]


def test_the_journal_of_another_program_is_refused_and_left_as_it_was(tmp_path):
    optuna.create_study(study_name="theirs", storage=JournalStorage(JournalFileBackend(str(tmp_path / "journal.log"))))
    theirs = (tmp_path / "journal.log").read_bytes()
    for use in (Study.load, run):
        with pytest.raises(UserError, match=r"another program's journal.*choose another --out"):
            use(tmp_path)
    assert (tmp_path / "journal.log").read_bytes() == theirs


def test_what_is_left_of_a_study_without_its_trials_is_not_written_over(tmp_path):
    run(tmp_path)
    write_outputs(Study.load(tmp_path))
    left = (tmp_path / "study.json").read_bytes()
    (tmp_path / "journal.log").unlink()
    with pytest.raises(
        UserError, match=r"study without its trials.*expected journal\.log.*backup, or choose another --out"
    ):
        run(tmp_path)
    assert (tmp_path / "study.json").read_bytes() == left
