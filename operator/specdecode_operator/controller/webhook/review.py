"""One AdmissionReview answered: what pre-flight says of a spec before it is stored. No clock, no I/O."""

from collections import Counter
from collections.abc import Iterator
from typing import Annotated, Any, Final, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError
from pydantic.alias_generators import to_camel

from specdecode_operator.api.errors import InvalidResource
from specdecode_operator.api.faults import read
from specdecode_operator.api.names import GROUP, KIND
from specdecode_operator.api.remarks import Level, Remark
from specdecode_operator.clients import Manifest
from specdecode_operator.controller.errors import MalformedReview
from specdecode_operator.policy import ladder
from specdecode_operator.sizing import examine_rungs, find, gathered

__all__ = ["review"]

_API_VERSION: Final = "admission.k8s.io/v1"
_UNPROCESSABLE: Final = 422
_LONGEST_SENTENCE: Final = 1024
_LONGEST_FIELD: Final = 256
_MOST_FAULTS: Final = 100

_LONGEST_WARNING: Final = 256
_ALL_WARNINGS: Final = 4096
"""The API server truncates each warning to 256 characters, and drops some, once all together exceed 4096
(`apiserver/pkg/endpoints/filters/warning.go`, Kubernetes 1.34)."""


class _Part(BaseModel):
    model_config = ConfigDict(alias_generator=to_camel, frozen=True)


class _Metadata(_Part):
    name: str = ""
    namespace: str = "default"
    deletion_timestamp: str | None = None


class _Object(_Part):
    api_version: str
    kind: str
    metadata: _Metadata
    spec: Any = None

    def manifest(self) -> Manifest:
        """What people write: the status is the operator's, and the rest of the metadata the API server's."""
        metadata = {"name": self.metadata.name, "namespace": self.metadata.namespace}
        return {"apiVersion": self.api_version, "kind": self.kind, "metadata": metadata, "spec": self.spec}


class _Request(_Part):
    uid: Annotated[str, Field(min_length=1, max_length=128)]
    operation: Literal["CREATE", "UPDATE", "DELETE", "CONNECT"]
    sub_resource: str = ""
    object: _Object | None = None
    old_object: _Object | None = None


class _Review(_Part):
    api_version: Literal["admission.k8s.io/v1"]
    kind: Literal["AdmissionReview"]
    request: _Request


def review(document: object) -> Manifest:
    """Return the AdmissionReview that answers `document`; raise `MalformedReview` where that is none.

    What is no new or changed spec is allowed unseen. A spec with errors is denied with all of them, unless it is an
    update that brings no error which the object did not have before.
    """
    request = _request(document)
    new, old = _examined(request)
    if new is None:
        return _answer(request, {"allowed": True})
    remarks = _remarks(new)
    errors = [remark for remark in remarks if remark.level is Level.ERROR]
    warnings = [remark for remark in remarks if remark.level is Level.WARNING]
    if errors and _worse(errors, old):
        return _answer(request, {"allowed": False, "status": _status(new, errors), **_warnings(warnings)})
    return _answer(request, {"allowed": True, **_warnings([*errors, *warnings])})


def _request(document: object) -> _Request:
    """Return the request; the error says where it is wrong and repeats nothing of it."""
    try:
        return _Review.model_validate(document).request
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False, include_context=False)[0]
        place = ".".join(str(part) for part in first["loc"]) or "the body"
        raise MalformedReview(f"no {_API_VERSION} AdmissionReview: {place} is missing or wrong") from None


def _examined(request: _Request) -> tuple[_Object | None, _Object | None]:
    """Return the object to look at and the one before it; None where there is nothing to look at."""
    new, old = request.object, request.old_object
    if request.operation not in ("CREATE", "UPDATE") or request.sub_resource:
        return None, None
    if new is None or (request.operation == "UPDATE" and old is None):
        raise MalformedReview("the AdmissionReview lacks its object")
    unchanged = old is not None and old.spec == new.spec
    if unchanged or new.metadata.deletion_timestamp is not None:
        return None, None
    return new, old


def _remarks(found: _Object) -> list[Remark]:
    """Return the remarks on the spec and on every fallback, as `specdecode plan` gives them."""
    try:
        resource, faults = read(found.manifest())
    except InvalidResource:
        raise MalformedReview(f"the AdmissionReview is of no {KIND} that this operator knows") from None
    if resource is None:
        return list(faults)
    rungs = ladder(resource.spec)
    examined = examine_rungs(resource.spec, (rungs.primary, *rungs.fallbacks), facts=find)
    return list(dict.fromkeys(faults) | dict.fromkeys(gathered(examined)))


def _worse(errors: list[Remark], old: _Object | None) -> bool:
    """Whether there is an error that `old` lacks: its messages may differ, since they hold figures."""
    if old is None:
        return True
    before = [remark for remark in _remarks(old) if remark.level is Level.ERROR]
    return bool(_places(errors) - _places(before))


def _places(errors: list[Remark]) -> Counter[tuple[str, str]]:
    return Counter((remark.code, remark.field) for remark in errors)


def _answer(request: _Request, response: Manifest) -> Manifest:
    return {"apiVersion": _API_VERSION, "kind": "AdmissionReview", "response": {"uid": request.uid, **response}}


def _status(found: _Object, errors: list[Remark]) -> Manifest:
    """Return the refusal: one message for every client, and the causes, which kubectl prints a line each."""
    shown = errors[:_MOST_FAULTS]
    more = f"; and {len(errors) - _MOST_FAULTS} more" if len(errors) > _MOST_FAULTS else ""
    count = "1 error" if len(errors) == 1 else f"{len(errors)} errors"
    text = "; ".join(f"{remark.code} at {_cut(remark.field, _LONGEST_FIELD)}: {_sentence(remark)}" for remark in shown)
    return {
        "status": "Failure",
        "code": _UNPROCESSABLE,
        "reason": "Invalid",
        "message": f"pre-flight found {count}: {text}{more}",
        "details": {
            "group": GROUP,
            "kind": KIND,
            "name": found.metadata.name,
            "causes": [_cause(remark) for remark in shown],
        },
    }


def _cause(remark: Remark) -> Manifest:
    field = _cut(remark.field, _LONGEST_FIELD)
    return {
        "reason": remark.code,
        "field": field if field.startswith("metadata.") else f"spec.{field}",
        "message": f"{remark.code}: {_sentence(remark)}",
    }


def _sentence(remark: Remark) -> str:
    return f"{_cut(remark.message, _LONGEST_SENTENCE)} (docs/codes/{remark.code}.md)"


def _warnings(remarks: list[Remark]) -> Manifest:
    """Return the field of the answer, which is left out where there is nothing to say."""
    texts = list(_fitting([_warning(remark) for remark in remarks]))
    return {"warnings": texts} if texts else {}


def _warning(remark: Remark) -> str:
    """The code comes first, since its name is that of its page."""
    error = " (error, as before)" if remark.level is Level.ERROR else ""
    return _cut(f"{remark.code}{error}: spec.{remark.field}: {remark.message}", _LONGEST_WARNING)


def _fitting(texts: list[str]) -> Iterator[str]:
    """Yield as many of `texts` as the API server passes on whole, and how many are left."""
    room = _ALL_WARNINGS - _LONGEST_WARNING
    for index, text in enumerate(texts):
        room -= len(text)
        if room < 0:
            yield f"{len(texts) - index} more; see specdecode plan"
            return
        yield text


def _cut(text: str, length: int) -> str:
    """Return `text` in one line of at most `length` characters."""
    line = " ".join(text.split())
    return line if len(line) <= length else f"{line[: length - 1]}…"
