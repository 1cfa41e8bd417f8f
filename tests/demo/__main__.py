"""The whole story with real parts: `python -m demo`."""

import sys
from pathlib import Path

import click

from demo.acts import Act, StoryError, play
from demo.plot import draw
from demo.table import table
from demo.timeline import Timeline
from devcluster.errors import DevClusterError
from devcluster.paths import kubeconfig
from support import stage
from support.observation import Watched
from support.traffic import Traffic
from support.waiting import eventually

NAMESPACE = "demo"


@click.command(context_settings={"help_option_names": ["-h", "--help"]})
@click.option("--plot", type=click.Path(path_type=Path, dir_okay=False), help="Draw the run into this SVG file.")
def main(plot: Path | None) -> None:
    """Show what the operator does: speculation pays, stops paying, is rolled off after a trial, and comes back.

    Real Kubernetes, kubelet, Prometheus and vLLM on CPUs, with a real draft model; the chart is installed with helm.
    The cluster stays up afterwards.
    """
    try:
        acts = _run(Timeline(), plot)
    except (DevClusterError, StoryError, AssertionError) as error:
        click.echo(f"Error: {error}", err=True)
        sys.exit(1)
    problems = _problems(acts)
    for problem in problems:
        click.echo(f"NOT AS PROMISED: {problem}", err=True)
    sys.exit(1 if problems else 0)


def _run(timeline: Timeline, plot: Path | None) -> list[Act]:
    timeline.say("the stage: cluster, models, the operator's image, the chart")
    models = stage.prepare()
    stage.install()
    _apply(models, timeline)
    watched = Watched(NAMESPACE)
    with Traffic(stage.address(NAMESPACE), "target", stage.prompts(models)) as traffic:
        acts = play(watched, traffic, timeline)
    _close(acts, watched, timeline)
    if plot is not None:
        draw(acts, traffic.measured, NAMESPACE, plot)
        timeline.say(f"plot: {plot}")
    return acts


def _apply(models: Path, timeline: Timeline) -> None:
    stage.kube("delete", "namespace", NAMESPACE, "--ignore-not-found", "--timeout=120s")
    stage.apply(stage.resource(models, NAMESPACE, replicas=1))
    timeline.say("the resource is applied; vLLM starts (a minute or two on one core)")
    watched = Watched(NAMESPACE)
    eventually(lambda: watched.condition("Ready")[0] == "True", seconds=400, what="a ready pod")
    timeline.say("the pod is ready")


def _close(acts: list[Act], watched: Watched, timeline: Timeline) -> None:
    timeline.say("measured by the client:")
    click.echo("\n" + table(acts) + "\n")
    for decision in watched.decisions():
        click.echo(_sentence(decision))
    click.echo(stage.kube("get", "sdd", f"--namespace={NAMESPACE}"))
    click.echo(
        "Try next:\n"
        f"  export KUBECONFIG={kubeconfig()}\n"
        f"  kubectl get sdd,deployments,pods --namespace={NAMESPACE}\n"
        f"  kubectl get events --namespace={NAMESPACE} --field-selector involvedObject.kind=SpecDecodeDeployment\n"
        f"  kubectl describe sdd chat --namespace={NAMESPACE}\n"
        "  make cluster-down"
    )


def _sentence(decision: dict[str, str]) -> str:
    """Return a decision with its evidence; a probe has no signal in breach."""
    figures = (
        f" {decision['signal']} {decision['value']} over {decision['window']} ({decision['samples']} requests),"
        f" {decision['threshold']};"
        if "signal" in decision
        else ""
    )
    route = f"{decision['from']} -> {decision['to']}, {decision['trigger']}, {decision['outcome']}"
    return f"decision {decision['id']}: {route}:{figures} the trial: {decision.get('comparison')}"


def _problems(acts: list[Act]) -> list[str]:
    healthy, hurting, _, _, healed, waiting, _, _, back = acts
    found = [f"act {act.title.strip()}: {act.failed} requests failed" for act in acts if act.failed]
    if hurting.tpot(50) <= healthy.tpot(50):
        found.append("speculation on domain B was no slower than on domain A")
    if healed.tpot(50) >= hurting.tpot(50):
        found.append("without speculation domain B did not become faster")
    if back.tpot(50) >= waiting.tpot(50):
        found.append("with speculation on again domain A did not become faster")
    return found


if __name__ == "__main__":
    main()
