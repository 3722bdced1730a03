"""What the commands read back from a study's folder."""

from dataclasses import dataclass
from pathlib import Path

from evaluators.base import Protocol
from space.candidate import Candidate
from space.errors import UserError
from studies import LOCK_FILE, Lock, read_lock


@dataclass(frozen=True, kw_only=True)
class Source:
    """What a transferred attack is crafted on.

    Attributes:
        candidate: text form.
        protocol: that it was selected under, in a study; None for one that was named itself.
    """

    candidate: str
    protocol: Protocol | None = None

    def check(self, protocol: Protocol) -> None:
        """Raise UserError if the source was selected on other images or in another network than those at hand."""
        if self.protocol is None:
            return
        for name, what in (("checksum", "data set"), ("network", "network")):
            if getattr(protocol, name) != getattr(self.protocol, name):
                named = ("dataset",) if name == "checksum" else ()
                raise UserError(
                    f"the study of --source has another {what}",
                    got=" ".join(getattr(self.protocol, part) for part in (*named, name)),
                    expected=" ".join(getattr(protocol, part) for part in (*named, name)),
                    hint=f"--source {self.candidate} takes its candidate as such",
                )


def read_source(text: str) -> Source:
    """Read a candidate, a lock file, or the folder of a study whose selected candidate is meant; UserError else."""
    try:
        return Source(candidate=str(Candidate.parse(text)))
    except UserError as error:
        path = Path(text)
        if not text or not path.exists():
            expected = "a candidate, a lock file, or the folder of a run"
            raise UserError("--source", got=text, expected=expected, hint=error.hint or error.what) from None
    lock = read_lock(path)
    return Source(candidate=str(lock.candidate), protocol=lock.protocol)


def selected_in(folder: Path) -> Lock | None:
    """What is selected in a study's folder, None where nothing is; UserError for a damaged file."""
    return read_lock(folder) if (folder / LOCK_FILE).is_file() else None
