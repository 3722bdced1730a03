"""A server on this host alone that speaks S3's protocol, for tests."""

import os
import socket
import subprocess
import sys
import time
import urllib.request
from contextlib import suppress
from uuid import uuid4

QUIETLY = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
ALL, NONE = "inf", "0"
"""How many requests are let in before identities are looked at."""


class ObjectServer:
    """Moto's server on 127.0.0.1, in a process of its own; it keeps everything in memory."""

    def __init__(self) -> None:
        with socket.socket() as one:
            one.bind(("127.0.0.1", 0))
            self._port = int(one.getsockname()[1])
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._port}"

    @property
    def environment(self) -> dict[str, str]:
        """What leads a program here."""
        return {
            "AWS_ACCESS_KEY_ID": "tester",
            "AWS_SECRET_ACCESS_KEY": "hunter2hunter2",
            "AWS_DEFAULT_REGION": "us-east-1",
            "AWS_ENDPOINT_URL": self.url,
        }

    def start(self) -> None:
        """Start it and wait until it answers."""
        words = [sys.executable, "-m", "moto.server", "-H", "127.0.0.1", "-p", str(self._port)]
        self._process = subprocess.Popen(words, env={**os.environ, **self.environment}, **QUIETLY)
        for _ in range(600):
            with suppress(OSError):
                socket.create_connection(("127.0.0.1", self._port), 1).close()
                return
            time.sleep(0.05)
        raise TimeoutError("the server does not answer")

    def stop(self) -> None:
        """End it."""
        if self._process is not None:
            self._process.terminate()
            self._process.wait(30)

    def fresh(self) -> str:
        """The name of a new bucket."""
        name = f"b{uuid4().hex[:12]}"
        self._ask("PUT", f"/{name}")
        return name

    def admit(self, requests: str) -> None:
        """Let so many requests in before anybody's identity is looked at: ALL or NONE."""
        self._ask("POST", "/moto-api/reset-auth", requests.encode())

    def _ask(self, method: str, path: str, content: bytes = b"") -> None:
        headers = {"Content-Type": "text/plain"}
        request = urllib.request.Request(self.url + path, content, headers, method=method)
        urllib.request.urlopen(request, timeout=10).close()
