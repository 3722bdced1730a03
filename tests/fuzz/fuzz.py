"""Fuzz one reader with atheris, guided by the branches it takes: fuzz.py TARGET -runs=N [libFuzzer's flags]."""

import resource
import sys
from pathlib import Path

import atheris

HERE = Path(__file__).parent
sys.path[:0] = [str(HERE.parents[1]), str(HERE)]
MEMORY = 8 << 30
"""Bytes of address space that a reader may take, whatever its input claims."""

if __name__ == "__main__":
    import torch  # noqa: F401 (what is imported before is not traced, and needs no tracing)

    with atheris.instrument_imports(include=["space", "studies", "evaluators.data"]):
        from targets import TARGETS

    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    name, *flags = sys.argv[1:]
    atheris.Setup([sys.argv[0], "-timeout=10", "-verbosity=0", *flags], TARGETS[name])
    atheris.Fuzz()
