"""A PostgreSQL server of one's own, on this host alone, for tests and benchmarks."""

import os
import shutil
import socket
import subprocess
from pathlib import Path
from uuid import uuid4

PROGRAMS = "/usr/lib/postgresql"


class Server:
    """Listens on 127.0.0.1 and on a socket in its folder; runs as `postgres` where this process runs as root.

    Args:
        folder: of its own; short, because a socket's path may have 107 characters.
        connections: that it takes.
    """

    def __init__(self, folder: Path, connections: int = 50) -> None:
        self._folder, self.port = folder, _free_port()
        self._programs = max(Path(PROGRAMS).glob("*/bin"))
        folder.mkdir(parents=True, exist_ok=True)
        if os.getuid() == 0:
            shutil.chown(folder, "postgres", "postgres")
            folder.chmod(0o755)
        self._call(
            "initdb",
            "-D",
            str(folder / "data"),
            "-U",
            "tester",
            "--auth=trust",
            "--no-sync",
            "--locale=C",
            "--encoding=UTF8",
        )
        settings = {"port": self.port, "listen_addresses": "127.0.0.1", "unix_socket_directories": folder}
        settings |= {"max_connections": connections, "fsync": "off", "shared_buffers": "32MB"}
        lines = "".join(f"{name} = '{value}'\n" for name, value in settings.items())
        subprocess.run(self._as("tee", "-a", str(folder / "data" / "postgresql.conf")), input=lines, **QUIETLY)

    @property
    def url(self) -> str:
        """Of its first database."""
        return f"postgresql+psycopg://tester@127.0.0.1:{self.port}/postgres"

    def fresh(self) -> str:
        """The URL of a new database."""
        name = f"b{uuid4().hex[:12]}"
        self._call("createdb", "-h", "127.0.0.1", "-p", str(self.port), "-U", "tester", name)
        return self.url.removesuffix("postgres") + name

    def run(self, url: str, statement: str) -> None:
        """Execute a statement in the database of this URL."""
        name = url.rpartition("/")[2]
        where = ("-h", "127.0.0.1", "-p", str(self.port), "-U", "tester", "-d", name)
        self._call("psql", *where, "-v", "ON_ERROR_STOP=1", "-c", statement)

    def start(self) -> None:
        """Start it and wait until it answers."""
        log = self._folder / "log"
        self._call("pg_ctl", "-D", str(self._folder / "data"), "-l", str(log), "-w", "start")

    def stop(self, mode: str = "fast") -> None:
        """Stop it: "fast" ends every connection, "immediate" as a power cut would."""
        self._call("pg_ctl", "-D", str(self._folder / "data"), "-m", mode, "-w", "stop")

    def _call(self, program: str, *words: str) -> None:
        subprocess.run(self._as(str(self._programs / program), *words), check=True, **QUIETLY)

    def _as(self, *words: str) -> list[str]:
        return ["runuser", "-u", "postgres", "--", *words] if os.getuid() == 0 else [*words]


QUIETLY = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL, "cwd": "/", "text": True}


def _free_port() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return int(one.getsockname()[1])
