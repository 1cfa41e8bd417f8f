"""Daemons: started with a log file and a pid file, and stopped by pid only."""

import contextlib
import os
import shutil
import signal
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from devcluster.errors import CommandError, NotReadyError
from devcluster.waiting import wait_until

READY_SECONDS = 60.0
GRACE_SECONDS = 15.0
SHOWN_LINES = 15


@dataclass(frozen=True)
class Daemon:
    """A long-running program whose files `NAME.log` and `NAME.pid` lie in `directory`.

    A later process can stop it, or ask whether it runs, with the name and the directory alone.
    """

    name: str
    directory: Path
    argv: tuple[str, ...] = ()
    env: Mapping[str, str] = field(default_factory=dict)

    @property
    def log(self) -> Path:
        """The file that takes what the program writes."""
        return self.directory / f"{self.name}.log"

    @property
    def pid_file(self) -> Path:
        """The file that holds the process id and the process's start time, which tells a reused id."""
        return self.directory / f"{self.name}.pid"

    def start(self, ready: Callable[[], bool], *, seconds: float = READY_SECONDS) -> None:
        """Start the program and wait until `ready` holds.

        Raises:
            NotReadyError: it ended, or `ready` did not hold in `seconds`; the message shows its log's end.

        """
        self.directory.mkdir(parents=True, exist_ok=True)
        pid = _spawn(self.argv, {**os.environ, **self.env}, self.log)
        self.pid_file.write_text(f"{pid} {_start_time(pid)}\n")
        try:
            wait_until(lambda: ready() or not self.is_running(), seconds=seconds, what=f"{self.name} ready")
        except NotReadyError as error:
            message = f"{error}; {self._log_end()}"
            raise NotReadyError(message) from error
        if not self.is_running():
            message = f"{self.name} ended while it started; {self._log_end()}"
            raise NotReadyError(message)

    def stop(self) -> None:
        """Ask the program to end, kill it if it does not within 15 seconds, and forget it."""
        for number, seconds in ((signal.SIGTERM, GRACE_SECONDS), (signal.SIGKILL, GRACE_SECONDS)):
            pid = self.pid()
            if pid is None:
                break
            kill(pid, number)
            with contextlib.suppress(NotReadyError):
                wait_until(lambda: not self.is_running(), seconds=seconds, what=f"{self.name} gone")
        self.pid_file.unlink(missing_ok=True)

    def is_running(self) -> bool:
        """Tell whether the recorded process is alive."""
        return self.pid() is not None

    def pid(self) -> int | None:
        """The recorded process's id, or None where no such process is alive."""
        try:
            pid, started = self.pid_file.read_text().split()
        except (FileNotFoundError, ValueError):
            return None
        return int(pid) if started == _start_time(int(pid)) else None

    def _log_end(self) -> str:
        lines = self.log.read_text(errors="replace").splitlines()[-SHOWN_LINES:]
        return f"the end of {self.log}:\n" + "\n".join(lines)


def kill(pid: int, number: signal.Signals) -> None:
    """Send a signal to a process; a process that is already gone is no error."""
    with contextlib.suppress(ProcessLookupError):
        os.kill(pid, number)


def _spawn(argv: tuple[str, ...], env: dict[str, str], log: Path) -> int:
    program = shutil.which(argv[0])
    if program is None:
        message = f"the program `{argv[0]}` was not found"
        raise CommandError(message)
    files = [
        (os.POSIX_SPAWN_OPEN, 0, os.devnull, os.O_RDONLY, 0),
        (os.POSIX_SPAWN_OPEN, 1, str(log), os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644),
        (os.POSIX_SPAWN_DUP2, 1, 2),
    ]
    return os.posix_spawn(program, argv, env, file_actions=files, setsid=True)


def _start_time(pid: int) -> str | None:
    """Field 22 of `/proc/PID/stat`; None where the process is gone or a zombie (a child is reaped first)."""
    with contextlib.suppress(ChildProcessError):
        os.waitpid(pid, os.WNOHANG)
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except (FileNotFoundError, ProcessLookupError):
        return None
    return None if fields[0] in "ZX" else fields[19]
