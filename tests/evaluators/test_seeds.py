import subprocess
import sys
from hashlib import sha256

import torch
from hypothesis import given
from hypothesis import strategies as st

from evaluators.seeds import number, stream

tricky = st.sampled_from(["/", "a/b", "%2F", "%", "a", "b", "", "\\"])
names = st.lists(st.text(max_size=4) | tricky, max_size=4)
seeds = st.integers(-5, 5)


def test_a_number_is_the_first_63_bits_of_the_sha256_of_the_path():
    expected = int(sha256(b"7/mbn3x1/init").hexdigest()[:16], 16) // 2
    assert number(7, "mbn3x1", "init") == expected


@given(seeds, names)
def test_numbers_are_63_bits_and_repeat(seed, path):
    assert 0 <= number(seed, *path) < 2**63
    assert number(seed, *path) == number(seed, *path)


@given(seeds, names, seeds, names)
def test_different_paths_give_different_numbers(seed, path, other_seed, other_path):
    same = (seed, path) == (other_seed, other_path)
    assert (number(seed, *path) == number(other_seed, *other_path)) == same


def test_a_slash_in_a_name_is_not_a_separator():
    paths = [("a/b",), ("a", "b"), ("a%2Fb",), ("a/", "b"), ("a", "/b"), ("", "a", "b"), ("a", "b", "")]
    assert len({number(0, *path) for path in paths}) == len(paths)


def test_lone_surrogates_are_names_too():
    assert number(0, "\ud800") != number(0, "\ud801")


def test_numbers_need_no_torch_and_no_hash_seed():
    code = "import sys; from evaluators.seeds import number; print(number(3, 'a'), 'torch' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split() == [str(number(3, "a")), "False"]


def test_a_stream_is_fresh_every_time_and_differs_by_name():
    draw = [torch.rand(8, generator=stream(*path)) for path in ((0, "a"), (0, "a"), (0, "b"), (1, "a"))]
    assert torch.equal(draw[0], draw[1])
    assert not torch.equal(draw[0], draw[2])
    assert not torch.equal(draw[0], draw[3])


def test_a_stream_leaves_the_global_generator_alone():
    before = torch.get_rng_state()
    torch.rand(3, generator=stream(0, "a"))
    assert torch.equal(before, torch.get_rng_state())
