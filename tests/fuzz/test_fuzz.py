"""Whatever is read, there is no traceback, no wait and no flood of memory."""

import io
import json
import struct
import subprocess
import sys
import zipfile
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from targets import TARGETS, candidate, journal, npz, record, space, table

HERE = Path(__file__).parent
RUNS = 400
some = settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])

MEMBERS = "fp pact4 dorefa4-2 xnor bnn mbn3x1 ptq3 ~w50 ~c50 + :"
TOKENS = f"{MEMBERS} in4 in x0.5 mu255@1 mean majority pgd # - @ = ٣ \x1b".split()
near_candidates = st.lists(st.sampled_from(TOKENS), max_size=12).map("".join)
AXES = (
    "precisions",
    "members",
    "input_bits",
    "votes",
    "mu",
    "mapped_layers",
    "recipes",
    "widths",
    "full_precision",
    "x",
)
values = st.one_of(
    st.integers(), st.floats(), st.text(max_size=8), st.sampled_from(["fp", "xnor", "mean", 1, 2, 255, 0.5])
)
spaces = st.dictionaries(st.sampled_from(AXES), st.one_of(st.lists(values, max_size=5), values), max_size=6)


@some
@given(st.one_of(st.binary(max_size=300), near_candidates.map(str.encode)))
@example(b"fp" * 5_000_000)
@example(b"+".join([b"fp"] * 1_000_000))
@example(b"in4:" * 250)
def test_candidates(content):
    candidate(content)


def as_toml(axes):
    return "\n".join(f"{name} = {json.dumps(value)}" for name, value in axes.items()).encode()


@some
@given(st.one_of(st.binary(max_size=300), spaces.map(as_toml)))
@example(b"precisions = ['fp']\nmembers = " + b"[" * 100_000)
@example(b"precisions = ['fp']\nmu = [" + b"9" * 100_000 + b"]")
@example(b"precisions = ['fp']\nmu = [" + b", ".join(b"%d" % one for one in range(60_000)) + b"]")
@example(b"a." * 20_000 + b"a = 1")
def test_spaces(content):
    space(content)


def archive(**members):
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as zipped:
        for name, content in members.items():
            zipped.writestr(f"{name}.npy", content)
    return file.getvalue()


def array(one):
    file = io.BytesIO()
    np.save(file, one)
    return file.getvalue()


GOOD = {
    "x_train": array(np.zeros((8, 4, 4), np.uint8)),
    "y_train": array(np.arange(8) % 2),
    "x_test": array(np.zeros((4, 4, 4), np.uint8)),
    "y_test": array(np.arange(4) % 2),
}
WHOLE = archive(**GOOD)


def claiming(shape, content=b""):
    text = f"{{'descr': '|u1', 'fortran_order': False, 'shape': {shape}, }}".encode().ljust(117) + b"\n"
    return b"\x93NUMPY\x01\x00" + struct.pack("<H", len(text)) + text + content


def claimed_size(content, size):
    """The archive with another size of its first member, in both places that tell it."""
    field, central = struct.pack("<I", size), content.rindex(b"PK\x01\x02", 0, content.index(b"PK\x01\x02") + 4)
    return content[:22] + field + content[26 : central + 24] + field + content[central + 28 :]


@st.composite
def changed(draw, whole):
    content = bytearray(whole)
    for _ in range(draw(st.integers(0, 6))):
        content[draw(st.integers(0, len(content) - 1))] ^= draw(st.integers(1, 255))
    return bytes(content[: draw(st.integers(len(content) // 2, len(content)))])


@some
@given(st.one_of(st.binary(max_size=200), changed(WHOLE)))
@example(archive(**{**GOOD, "x_train": claiming("(1000000, 1000, 1000)")}))
@example(archive(**{**GOOD, "x_train": claiming("(9223372036854775807, 99, 99)")}))
@example(archive(**{**GOOD, "x_train": claiming("(67108864,)", bytes(64 << 20))}))
@example(claimed_size(WHOLE, 2**32 - 2))
def test_npz_files(content):
    npz(content)


def journal_of_a_study():
    import tempfile

    sys.path.insert(0, str(HERE.parent / "studies"))
    from closed_form import Arithmetic, config

    from studies import Stop, Study

    with tempfile.TemporaryDirectory() as folder:
        Study.open(folder, config(sampler="random")).run(Arithmetic(), Stop(trials=2))
        return (Path(folder) / "journal.log").read_bytes()


JOURNAL = journal_of_a_study()
RECORD = next(json.loads(line)["user_attr"]["record"] for line in JOURNAL.splitlines() if b'"record"' in line)


def unchecked(content):
    """As earlier versions wrote it, so that changes reach the reader behind the checksums."""
    return b"".join(line[: line.rindex(b',"check"')] + b"}\n" for line in content.splitlines())


@some
@given(st.one_of(st.binary(max_size=200), changed(JOURNAL), changed(unchecked(JOURNAL))))
@example(b"[" * 200_000 + b"\n")
@example(b'{"op_code":0,"a":' + b"[" * 200_000 + b"\n" + JOURNAL)
@example(b'{"op_code":99}\n')
@example(b'{"op_code":true}\n{}\n[]\n3\nnull\n')
@example(bytes(1 << 20))
@example(JOURNAL * 2)
def test_journals(content):
    journal(content)


json_values = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), st.floats(allow_nan=False), st.text(max_size=9)),
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(st.text(max_size=9), inner, max_size=3)),
    max_leaves=8,
)
fields = st.dictionaries(st.sampled_from([*RECORD, "x"]), json_values, max_size=4)


@some
@given(st.one_of(json_values, fields.map(lambda some: RECORD | some)))
@example({**RECORD, "candidate": "\x1b[2Jfp"})
@example({**RECORD, "measurements": {"acc": 3}})
@example({**RECORD, "candidate": "../../x"})
def test_records(stored):
    record(json.dumps(stored).encode())


@some
@given(st.one_of(st.binary(max_size=200), json_values.map(lambda one: json.dumps(one).encode())))
@example(b"[" * 200_000)
@example(b'{"format": 1, "space": ' + b"[" * 5000)
def test_tables(content):
    table(content)


SEEDS = {
    "candidate": b"in4:fp+xnor:majority:mu255@1:pgd:x0.5",
    "space": b"precisions = ['fp', 'xnor']\nmembers = [1, 2]\nmu = [0, 255]\nwidths = [0.5]\n",
    "npz": WHOLE,
    "journal": unchecked(JOURNAL)[:8000],
    "record": json.dumps(RECORD).encode(),
    "table": b'{"format": 1, "space": {"precisions": ["fp"]}, "protocols": [], "budget": {}, "rows": []}',
}


@pytest.mark.parametrize("name", TARGETS)
def test_a_bounded_run_of_atheris_finds_nothing(name, tmp_path):
    pytest.importorskip("atheris")
    folder = tmp_path / "seeds"
    folder.mkdir()
    (folder / "one").write_bytes(SEEDS[name])
    flags = [f"-runs={RUNS}", "-max_total_time=20", "-max_len=8192", "-seed=1", "-rss_limit_mb=8192"]
    command = [sys.executable, str(HERE / "fuzz.py"), name, *flags, str(folder)]
    ended = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert ended.returncode == 0, ended.stderr[-3000:]
    assert "Traceback" not in ended.stderr
