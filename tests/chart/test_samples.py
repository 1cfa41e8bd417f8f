"""The samples can be applied as they stand."""

from pathlib import Path
from typing import Any

import kubernetes_validate
import pytest
import yaml
from click.testing import CliRunner

from chart.files import SAMPLES
from specdecode_operator.api.v1alpha1 import Method, Mode, parse
from specdecode_operator.cli import main
from specdecode_operator.policy import ladder

VARIANTS = {
    "draft-model": (Method.DRAFT_MODEL, Mode.ENFORCE, ["primary", "no-speculation"]),
    "eagle3": (Method.EAGLE3, Mode.ENFORCE, ["primary", "no-speculation"]),
    "hpa": (Method.DRAFT_MODEL, Mode.ENFORCE, ["primary", "no-speculation"]),
    "ngram": (Method.NGRAM, Mode.OBSERVE, ["primary", "no-speculation"]),
    "quantized-fallback": (Method.DRAFT_MODEL, Mode.ENFORCE, ["primary", "fp8", "int8", "no-speculation"]),
}


def documents(path: Path) -> list[dict[str, Any]]:
    return list(yaml.safe_load_all(path.read_text()))


@pytest.mark.parametrize("path", SAMPLES, ids=lambda path: path.stem)
def test_a_sample_says_what_it_shows(path: Path) -> None:
    spec = parse(documents(path)[0]).spec
    variants = [variant.name for variant in ladder(spec).rungs]
    assert (spec.speculation.method, spec.policy.mode, variants) == VARIANTS[path.stem]
    assert f"mode: {spec.policy.mode}" in path.read_text()


@pytest.mark.parametrize(
    ("path", "variant"), [(path, variant) for path in SAMPLES for variant in VARIANTS[path.stem][2]]
)
def test_every_variant_of_a_sample_renders_to_valid_objects(path: Path, variant: str) -> None:
    done = CliRunner().invoke(main, ["render", str(path), "--variant", variant])
    assert done.exit_code == 0, done.output
    for child in yaml.safe_load_all(done.stdout):
        kubernetes_validate.validate(child, "1.34", strict=True)


def test_the_autoscaler_scales_the_resource_that_leaves_its_replicas_out() -> None:
    resource, autoscaler = documents(next(path for path in SAMPLES if path.stem == "hpa"))
    target = autoscaler["spec"]["scaleTargetRef"]
    kubernetes_validate.validate(autoscaler, "1.34", strict=True)
    assert target == {name: resource[name] for name in ("apiVersion", "kind")} | {"name": resource["metadata"]["name"]}
    assert "replicas" not in resource["spec"]
