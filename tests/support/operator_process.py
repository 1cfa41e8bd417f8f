"""The operator as a process of its own, as a pod would run it."""

import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any, Self

import httpx
import yaml

from support.waiting import eventually


class OperatorProcess:
    """`specdecode run` with a settings file and a log; use it as a context manager."""

    def __init__(self, folder: Path, kubeconfig: Path, **settings: Any) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.log = folder / "operator.log"
        self._settings = folder / "settings.yaml"
        self._settings.write_text(yaml.safe_dump({"listenAddress": "127.0.0.1", "listenPort": 0, **settings}))
        self._environment = os.environ | {"KUBECONFIG": str(kubeconfig)}
        self.process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def start(self) -> None:
        command = [str(Path(sys.executable).parent / "specdecode"), "run", "--config", str(self._settings)]
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(command, env=self._environment, stdout=log, stderr=log)
        started = self.log.read_text().count('"event": "started"') + 1
        eventually(
            lambda: self.log.read_text().count('"event": "started"') >= started or self._ended(),
            seconds=60,
            what="the operator's start",
        )

    def stop(self) -> None:
        """Ask the process to end, and check that it does."""
        if self.process is not None and self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
            assert self.process.wait(30) == 0, self.log.read_text()[-2000:]

    def kill(self) -> None:
        """End the process as a crash would."""
        assert self.process is not None
        self.process.kill()
        self.process.wait(10)

    @property
    def pid(self) -> int:
        assert self.process is not None
        return self.process.pid

    def metrics(self) -> str:
        """Return the operator's own metrics page."""
        return httpx.get(f"http://127.0.0.1:{self.port}/metrics", trust_env=False).text

    def metric(self, line: str) -> float:
        """Return one sample of it, 0 where it is absent."""
        found = [text for text in self.metrics().splitlines() if text.startswith(line + " ")]
        return float(found[0].rsplit(" ", 1)[1]) if found else 0.0

    @property
    def port(self) -> int:
        lines = [yaml.safe_load(line) for line in self.log.read_text().splitlines() if '"event": "started"' in line]
        port: int = lines[-1]["port"]
        return port

    def _ended(self) -> bool:
        assert self.process is not None
        if self.process.poll() is None:
            return False
        raise AssertionError(f"the operator ended with {self.process.returncode}: {self.log.read_text()[-2000:]}")
