"""What is made from the models and from the chart is up to date; `make generate` writes it."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from pydantic import BaseModel
from pydantic.alias_generators import to_camel

from chart import generated, values
from specdecode_operator.controller.settings import Endpoint, Settings


@pytest.mark.parametrize("part", [generated.crd, generated.readme, generated.manifests], ids=lambda part: part.__name__)
def test_generated_files_are_up_to_date(part: Callable[[], dict[Path, str]]) -> None:
    for path, text in part().items():
        assert path.read_text() == text, f"{path.name} is out of date: run `make generate`"


def paths(model: type[BaseModel], prefix: str) -> Iterator[str]:
    """Yield where each setting is, those within a setting included."""
    for name, field in model.model_fields.items():
        path = f"{prefix}{to_camel(name)}"
        if isinstance(field.default, BaseModel):
            yield from paths(type(field.default), f"{path}.")
        else:
            yield path


def test_the_settings_of_the_chart_are_those_of_the_operator_but_for_the_webhooks_which_it_knows_itself() -> None:
    known = {value.path for value in values.described()}
    fields = {path for path in paths(Settings, "settings.") if not path.startswith("settings.webhook.")}
    fields |= {f"settings.endpoints[].{field.alias}" for field in Endpoint.model_fields.values()}
    assert {path for path in known if path.startswith("settings.")} == fields


def test_the_default_settings_of_the_chart_are_those_of_the_operator_but_for_the_endpoint() -> None:
    ours = Settings.from_values(values.defaults()["settings"])
    assert ours.model_copy(update={"endpoints": ()}) == Settings.from_values({})
    assert [endpoint.name for endpoint in ours.endpoints] == ["default"]


def test_values_and_schema_describe_every_value_in_the_same_words() -> None:
    described = {value.path: value.description for value in values.described() if not value.listed}
    assert {path: values.comments()[path] for path in described} == described
