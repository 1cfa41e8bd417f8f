"""The options that say which Prometheus is asked about which time, shared by `record` and `replay`."""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass, fields
from datetime import datetime
from functools import wraps
from pathlib import Path
from typing import Any, Final

import click
from pydantic import ValidationError

from specdecode_operator.cli.moments import moment, period
from specdecode_operator.cli.progress import progress
from specdecode_operator.clients import Kubernetes, Manifest, Prometheus, PrometheusError
from specdecode_operator.controller.errors import InvalidSettings
from specdecode_operator.controller.settings import Endpoint, Settings, load
from specdecode_operator.replay import Grid, Recorded, Recording, collect, labelled

__all__ = ["Asked", "ask", "asking_options"]

_MOST_MOMENTS: Final = 200_000
_DEFAULT: Final = "default"
_FILE: Final = click.Path(path_type=Path, exists=True, dir_okay=False)
_STEP: Final = 15

_OPTIONS: Final = (
    click.option("--prometheus", metavar="URL", help="Address of the Prometheus API without /api/v1."),
    click.option("--settings", type=_FILE, help="The operator's settings file, instead of --prometheus."),
    click.option("--endpoint", metavar="NAME", help="Endpoint of --settings.  [default: default]"),
    click.option(
        "--from",
        "start",
        callback=moment,
        metavar="T",
        help="First moment: 2026-03-01T12:00:00Z, or 6h for six hours ago.",
    ),
    click.option("--to", "end", callback=moment, metavar="T", default="now", show_default=True, help="Last moment."),
    click.option(
        "--step", callback=period, metavar="D", help="Pause between evaluations, as the operator's.  [default: 15s]"
    ),
    click.option("--scrape-interval", callback=period, metavar="D", help="How often pods are scraped.  [default: 30s]"),
    click.option("--timeout", callback=period, metavar="D", help="Longest wait for one query.  [default: 10s]"),
    click.option("--ca-file", type=_FILE, help="CA bundle for the endpoint."),
    click.option("--bearer-token-file", type=_FILE, help="File with a bearer token."),
    click.option("--header", "headers", multiple=True, metavar="NAME=VALUE", help="Header, such as a tenant's."),
    click.option("--namespace-label", metavar="LABEL", help="Label with a pod's namespace.  [default: namespace]"),
    click.option("--pod-label", metavar="LABEL", help="Label with a pod's name.  [default: pod]"),
    click.option(
        "--matcher", "matchers", multiple=True, metavar="LABEL=VALUE", help="Label that all series must have."
    ),
    click.option("--cluster", is_flag=True, help="Ask the current kubeconfig's cluster which variant pods ran."),
)


@dataclass(frozen=True)
class Asked:
    """The options as they were given."""

    prometheus: str | None
    settings: Path | None
    endpoint: str | None
    start: datetime | None
    end: datetime
    step: int | None
    scrape_interval: int | None
    timeout: int | None
    ca_file: Path | None
    bearer_token_file: Path | None
    headers: tuple[str, ...]
    namespace_label: str | None
    pod_label: str | None
    matchers: tuple[str, ...]
    cluster: bool

    @property
    def any(self) -> bool:
        """Whether a Prometheus is named at all."""
        return self.prometheus is not None or self.settings is not None


def asking_options(command: Callable[..., None]) -> Callable[..., None]:
    """Give `command` the options; it gets them together, as its argument `asked`."""

    @wraps(command)
    def packed(**values: Any) -> None:  # noqa: ANN401 - whatever click has parsed
        asked = Asked(**{field.name: values.pop(field.name) for field in fields(Asked)})
        command(**values, asked=asked)

    for option in reversed(_OPTIONS):
        packed = option(packed)
    return packed


def ask(asked: Asked, resources: Sequence[Recorded]) -> Recording:
    """Return what the Prometheus of `asked` says about `resources`, with the time left on standard error.

    Raises `click.UsageError` where the options do not fit, `ClientError` and `NothingRecorded`.
    """
    settings = _settings(asked)
    endpoint, grid = _endpoint(asked, settings), _grid(asked, settings)
    with progress("asking Prometheus") as done:
        found = asyncio.run(_collected(endpoint, resources, grid, done))
    return labelled(found, asyncio.run(_replica_sets(resources))) if asked.cluster else found


async def _replica_sets(resources: Sequence[Recorded]) -> list[Manifest]:
    async with await Kubernetes.connect() as kubernetes:
        namespaces = sorted({resource.namespace for resource in resources})
        return [one for name in namespaces for one in await kubernetes.list("ReplicaSet", name)]


async def _collected(
    endpoint: Endpoint, resources: Sequence[Recorded], grid: Grid, done: Callable[[float], None]
) -> Recording:
    prometheus = Prometheus(endpoint.connection)
    interval = endpoint.scrape_interval_seconds
    try:
        return await collect(prometheus, resources, grid, scope=endpoint.scope, scrape_interval=interval, progress=done)
    except PrometheusError as error:
        raise PrometheusError(f"{endpoint.url} cannot be used: {error}") from None
    finally:
        prometheus.close()


def _settings(asked: Asked) -> Settings | None:
    if (asked.prometheus is None) == (asked.settings is None):
        raise click.UsageError("say which Prometheus to ask: either --prometheus URL, or --settings FILE")
    if asked.settings is None:
        return None
    try:
        return load(asked.settings)
    except InvalidSettings as error:
        raise click.UsageError(str(error)) from None


def _endpoint(asked: Asked, settings: Settings | None) -> Endpoint:
    base = {"name": _DEFAULT, "url": asked.prometheus} if settings is None else _named(asked, settings)
    changes = {
        "scrape_interval_seconds": asked.scrape_interval,
        "timeout_seconds": asked.timeout,
        "ca_file": asked.ca_file,
        "bearer_token_file": asked.bearer_token_file,
        "headers": _pairs("--header", asked.headers),
        "namespace_label": asked.namespace_label,
        "pod_label": asked.pod_label,
        "matchers": _pairs("--matcher", asked.matchers),
    }
    try:
        return Endpoint.model_validate(base | {name: value for name, value in changes.items() if value})
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        raise click.UsageError(f"{'.'.join(map(str, first['loc']))} of the endpoint: {first['msg']}") from None


def _named(asked: Asked, settings: Settings) -> dict[str, Any]:
    name = asked.endpoint or _DEFAULT
    found = next((one for one in settings.endpoints if one.name == name), None)
    if found is None:
        known = ", ".join(one.name for one in settings.endpoints) or "none"
        raise click.UsageError(f"{asked.settings} has no endpoint {name}; choose with --endpoint one of: {known}")
    return found.model_dump()


def _pairs(option: str, words: Sequence[str]) -> dict[str, str]:
    pairs = [word.partition("=") for word in words]
    if any(not name or not sign for name, sign, _ in pairs):
        raise click.UsageError(f"{option} takes a name, an equals sign and a value")
    return {name: value for name, _, value in pairs}


def _grid(asked: Asked, settings: Settings | None) -> Grid:
    if asked.start is None:
        raise click.UsageError("say with --from which time to look at, as 2026-03-01T12:00:00Z or 6h")
    if asked.start > asked.end:
        raise click.UsageError("--from lies after --to; exchange them")
    usual = _STEP if settings is None else max(1, round(settings.evaluation_interval_seconds))
    grid = Grid.between(asked.start, asked.end, asked.step or usual)
    if grid.count > _MOST_MOMENTS:
        raise click.UsageError(f"{grid.count:,} evaluations are more than {_MOST_MOMENTS:,}; shorten the time")
    return grid
