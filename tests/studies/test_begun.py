"""Looking for a study makes nothing: SQLite would make the file of whatever URL it opens."""

import pytest

from space import UserError
from studies import Study
from studies.storage.place import Place


def test_a_database_that_is_not_there_is_not_made_by_a_reader(tmp_path):
    missing = tmp_path / "typo.db"
    with pytest.raises(UserError, match="no study"):
        Study.load(tmp_path / "study", storage=f"sqlite:///{missing}")
    assert not missing.exists()


@pytest.mark.parametrize("driver", ["sqlite", "sqlite+pysqlite"])
@pytest.mark.parametrize("options", ["", "?timeout=5"])
def test_a_file_of_sqlite_has_begun_when_it_is_there(tmp_path, driver, options):
    file = tmp_path / "trials.db"
    place = Place(tmp_path, f"{driver}:///{file}{options}")
    assert not place.begun
    file.touch()
    assert place.begun


@pytest.mark.parametrize("url", ["sqlite://", "sqlite:///:memory:", "sqlite:///file:a.db?uri=true", "postgresql://a/b"])
def test_what_is_no_plain_file_may_always_be_asked(tmp_path, url):
    assert Place(tmp_path, url).begun
