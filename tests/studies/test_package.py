"""The package's door: every public name opens, and nothing heavy loads before it is used."""

import subprocess
import sys

import pytest

import studies


@pytest.mark.parametrize("name", studies.__all__)
def test_every_public_name_is_itself_however_often_it_is_imported(name):
    first = getattr(studies, name)
    assert getattr(studies, name) is first
    module = getattr(first, "__module__", None)
    assert module is None or module.split(".")[0] in ("studies", "typing", "types")
    assert type(first).__name__ != "module"


def test_importing_the_package_loads_neither_optuna_nor_torch():
    code = "import studies, sys; studies.Limit, studies.StudyConfig; print({'optuna', 'torch'} & {*sys.modules})"
    shown = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert shown.stdout == "set()\n"


def test_a_study_never_loads_torch():
    code = "from studies import Study, write_outputs; import sys; print({'optuna', 'torch'} & {*sys.modules})"
    shown = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert shown.stdout == "{'optuna'}\n"


def test_other_names_are_unknown():
    with pytest.raises(AttributeError, match="module 'studies' has no attribute 'Frnt'"):
        _ = studies.Frnt
