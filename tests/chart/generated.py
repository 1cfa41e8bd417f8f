"""The files that are made from the models and from the chart: `python -m chart.generated` writes them."""

import re
from pathlib import Path

from chart import helm, values
from chart.files import CHART, CRD, MANIFESTS
from specdecode_operator.api.crd import custom_resource_definition
from specdecode_operator.cli.output import to_yaml

_INSTALL_HEADER = "# Made by `make generate`: the chart with its default values.\n"
_TABLE = re.compile(r"(<!-- begin: .*? -->\n).*(<!-- end -->)", re.DOTALL)


def crd() -> dict[Path, str]:
    text = to_yaml([custom_resource_definition()])
    return {CRD: text, CHART / "files" / "crd.yaml": text}


def readme() -> dict[Path, str]:
    path = CHART / "README.md"
    return {path: _TABLE.sub(lambda found: f"{found[1]}{values.table()}\n{found[2]}", path.read_text())}


def manifests() -> dict[Path, str]:
    """The plain manifests; the chart's copy of the CRD must be up to date already."""
    return {MANIFESTS / "install.yaml": _INSTALL_HEADER + helm.template()}


def write() -> None:
    for part in (crd, readme, manifests):
        for path, text in part().items():
            path.write_text(text)


if __name__ == "__main__":
    write()
