"""The plot of a run: acceptance and time per output token, with the roll marked."""

import statistics
from pathlib import Path

import matplotlib as mpl
from matplotlib.axes import Axes

from demo.acts import Act
from devcluster import prometheus
from support.traffic import Measured

mpl.use("svg")

from matplotlib import pyplot as plt

STEP = 5
WINDOW = 20
ABOVE, INSIDE = 1.02, 0.9
"""Where the traffic and what is done about it are named, as shares of the height."""


def draw(acts: list[Act], requests: list[Measured], namespace: str, path: Path) -> None:
    """Write an SVG file."""
    start, end = acts[0].started, acts[-1].ended
    figure, (upper, lower) = plt.subplots(2, 1, sharex=True, figsize=(9, 5), layout="constrained")
    points = prometheus.query_range(_acceptance(namespace), start, end, STEP)
    upper.plot([at - start for at, _ in points], [100 * value for _, value in points], color="tab:blue")
    upper.axhline(50, color="tab:gray", linestyle=":", label="policy.acceptance.disableBelowPercent")
    upper.set_ylabel("acceptance rate, %")
    upper.set_ylim(0, 100)
    upper.legend(loc="lower left", fontsize="small")
    lower.plot(*_tpot(requests, start, end), color="tab:orange")
    lower.set_ylabel("TPOT, median of 20 s, ms")
    lower.set_xlabel("seconds of the demo")
    lower.set_ylim(bottom=0)
    for axis in (upper, lower):
        _mark(axis, acts, start)
    figure.savefig(path, metadata={"Date": None})
    plt.close(figure)


def _acceptance(namespace: str) -> str:
    parts = [
        f'sum(increase(vllm:spec_decode_num_{name}_tokens_total{{namespace="{namespace}"}}[{WINDOW}s]))'
        for name in ("accepted", "draft")
    ]
    return " / ".join(parts)


def _tpot(requests: list[Measured], start: float, end: float) -> tuple[list[float], list[float]]:
    times, values = [], []
    for at in range(round(start), round(end), STEP):
        recent = [one.tpot for one in requests if at - WINDOW <= one.started < at and not one.failed]
        if recent:
            times.append(at - start)
            values.append(1000 * statistics.median(recent))
    return times, values


def _mark(axis: Axes, acts: list[Act], start: float) -> None:
    _, hurting, trial, roll, healed, waiting, probe, return_, back = acts
    for act in (hurting, waiting):
        axis.axvline(act.started - start, color="black", linewidth=0.8)
    for act, color in ((trial, "tab:blue"), (probe, "tab:blue"), (roll, "tab:red"), (return_, "tab:red")):
        axis.axvspan(act.started - start, act.ended - start, color=color, alpha=0.15)
    for act, text in ((acts[0], "domain A"), (hurting, "domain B"), (waiting, "domain A")):
        _say(axis, text, act.started - start, ABOVE)
    for act, text in (
        (trial, "trial"),
        (roll, "roll"),
        (healed, "off"),
        (probe, "probe"),
        (return_, "roll"),
        (back, "on"),
    ):
        _say(axis, text, act.started - start, INSIDE)


def _say(axis: Axes, text: str, at: float, height: float) -> None:
    axis.annotate(text, (at, height), xycoords=("data", "axes fraction"), fontsize="small")
