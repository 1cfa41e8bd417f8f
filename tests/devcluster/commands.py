"""Running a program to its end."""

import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path

from devcluster.errors import CommandError

SHOWN_CHARACTERS = 4000


def run(
    argv: Sequence[str | Path],
    *,
    cwd: Path | None = None,
    env: Mapping[str, str] | None = None,
    stdin: str | None = None,
) -> str:
    """Run a program and return its standard output.

    Raises:
        CommandError: the program is missing or ended with a status other than 0; the message ends with
            the last 4000 characters that it wrote.

    """
    done = _completed([str(word) for word in argv], cwd=cwd, env=env, stdin=stdin)
    if done.returncode:
        output = (done.stdout + done.stderr)[-SHOWN_CHARACTERS:].strip()
        message = f"`{' '.join(done.args)}` ended with status {done.returncode}: {output}"
        raise CommandError(message)
    return done.stdout


def succeeds(argv: Sequence[str | Path]) -> bool:
    """Tell whether a program exists and ends with status 0; what it prints is thrown away."""
    try:
        run(argv)
    except CommandError:
        return False
    return True


def _completed(
    argv: list[str], *, cwd: Path | None, env: Mapping[str, str] | None, stdin: str | None
) -> subprocess.CompletedProcess[str]:
    try:
        return subprocess.run(
            argv, cwd=cwd, env=env, input=stdin, text=True, capture_output=True, check=False, errors="replace"
        )
    except FileNotFoundError as error:
        message = f"the program `{argv[0]}` was not found: {error}"
        raise CommandError(message) from error
