"""Numbers by keys, packed."""

from hypothesis import given
from hypothesis import strategies as st

from studies import keys
from studies.keys import Keys


@given(st.lists(st.tuples(st.text(max_size=3), st.integers(-1, 2**40)), max_size=60), st.integers(1, 8))
def test_it_is_a_dictionary(entries, recent):
    known, expected, before = Keys(), {}, keys.RECENT
    keys.RECENT = recent
    try:
        for key, number in entries:
            assert (key in known) == (key in expected)
            known[key] = expected[key] = number
            assert len(known) == len(expected)
    finally:
        keys.RECENT = before
    assert {key: known.get(key, -7) for key in expected} == expected
    assert known.get("not there", -7) == -7


def test_many_take_little():
    known = Keys()
    for number in range(5_000):
        known[f"{number:016x}"] = number
    assert known._sorted.nbytes + known._numbers.nbytes <= 16 * 5_000
    assert len(known._recent) < keys.RECENT
    assert all(known.get(f"{number:016x}", -1) == number for number in range(5_000))
    assert f"{5_000:016x}" not in known
