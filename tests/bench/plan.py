"""How long `specdecode plan` takes to name five faults: `python -m bench.plan`."""

import resource
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import click
import yaml

from support.builders import body
from support.faults import FIVE_FAULTS, SOUND


@click.command(context_settings={"help_option_names": ["-h", "--help"]})
@click.option("--runs", default=10, show_default=True, help="Processes, one after the other.")
def main(runs: int) -> None:
    """Start the command anew for every run, and print the medians."""
    with tempfile.TemporaryDirectory(prefix="specdecode-bench-") as name:
        file = Path(name) / "chat.yaml"
        file.write_text(yaml.safe_dump(body(**SOUND | FIVE_FAULTS)))
        measured = [_run(file) for _ in range(runs)]
    for title, values in zip(("elapsed", "CPU"), zip(*measured, strict=True), strict=True):
        click.echo(f"{title:8} median {statistics.median(values):.2f} s, slowest {max(values):.2f} s of {runs} runs")


def _run(file: Path) -> tuple[float, float]:
    """Return elapsed and CPU seconds of one process."""
    before, started = _used(), time.monotonic()
    command = [str(Path(sys.executable).with_name("specdecode")), "plan", str(file), "-o", "json"]
    found = subprocess.run(command, capture_output=True, check=False)
    elapsed = time.monotonic() - started
    if found.returncode != 1:
        raise click.ClickException(f"plan ended with {found.returncode}: {found.stderr.decode()[:200]}")
    return elapsed, _used() - before


def _used() -> float:
    children = resource.getrusage(resource.RUSAGE_CHILDREN)
    return children.ru_utime + children.ru_stime


if __name__ == "__main__":
    main()
