"""The command line: `python -m devcluster.models`, in the engine's environment."""

import argparse
import signal
import sys
from pathlib import Path

from devcluster.errors import DevClusterError
from devcluster.models.build import build
from devcluster.models.check import check

COMMANDS = {"build": build, "check": check}


def main() -> None:
    """Run a command; a failure is one sentence on standard error and exit code 1."""
    parser = argparse.ArgumentParser(prog="python -m devcluster.models", description="Make and check the test models.")
    parser.add_argument("command", choices=COMMANDS, help="build writes the models; check measures them")
    parser.add_argument("directory", type=Path, help="the folder of the models")
    arguments = parser.parse_args()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))
    try:
        COMMANDS[arguments.command](arguments.directory)
    except DevClusterError as error:
        sys.exit(str(error))


if __name__ == "__main__":
    main()
