"""One AdmissionReview answered: what is denied, what is only warned of, and what is never looked at."""

import copy
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from specdecode_operator.controller.errors import MalformedReview
from specdecode_operator.controller.webhook.review import review
from support.builders import body

LLAMA_8B = "meta-llama/Llama-3.1-8B-Instruct"
QWEN = "Qwen/Qwen2.5-0.5B-Instruct"
SOUND: dict[str, Any] = {
    "model": {"name": LLAMA_8B},
    "speculation": {"method": "NGram", "numSpeculativeTokens": 4},
    "engine": {"maxModelLen": 8192, "maxNumSeqs": 64},
    "resources": {"gpu": {"product": "H100"}},
}
MISMATCHED = SOUND | {"speculation": {"method": "DraftModel", "draft": {"name": QWEN}, "numSpeculativeTokens": 4}}
TOO_LONG = SOUND | {"engine": {"maxModelLen": 200_000}}
NEWER = SOUND | {"engine": {"version": "0.99.0"}}
BAD_RUNG = {"name": "other", "triggers": ["Latency"], "speculation": MISMATCHED["speculation"]}


def asked(operation: str, new: dict[str, Any] | None, old: dict[str, Any] | None = None, **more: Any) -> dict[str, Any]:
    """Return a review as the API server sends it."""
    return {
        "apiVersion": "admission.k8s.io/v1",
        "kind": "AdmissionReview",
        "request": {
            "uid": "705ab4f5",
            "kind": {"group": "specdecode.dev", "version": "v1alpha1", "kind": "SpecDecodeDeployment"},
            "operation": operation,
            "userInfo": {"username": "somebody"},
            "dryRun": False,
            "object": new,
            "oldObject": old,
            **more,
        },
    }


def answer(operation: str, new: dict[str, Any] | None, old: dict[str, Any] | None = None, **more: Any) -> Any:
    found = review(asked(operation, new, old, **more))
    assert (found["apiVersion"], found["kind"], found["response"]["uid"]) == (
        "admission.k8s.io/v1",
        "AdmissionReview",
        "705ab4f5",
    )
    return found["response"]


def codes(response: dict[str, Any]) -> list[str]:
    return [cause["reason"] for cause in response["status"]["details"]["causes"]]


class TestCreate:
    def test_a_sound_resource_is_allowed_without_a_word(self) -> None:
        assert answer("CREATE", body(**SOUND)) == {"uid": "705ab4f5", "allowed": True}

    def test_a_pair_that_cannot_run_is_denied_with_code_field_sentence_and_page(self) -> None:
        response = answer("CREATE", body(**MISMATCHED))
        [cause] = response["status"]["details"]["causes"]
        assert (response["allowed"], cause["reason"], cause["field"]) == (
            False,
            "VocabularyMismatch",
            "spec.speculation.draft.name",
        )
        assert cause["message"].startswith("VocabularyMismatch: ")
        assert cause["message"].endswith(" (docs/codes/VocabularyMismatch.md)")
        assert response["status"]["message"] == (
            "pre-flight found 1 error: VocabularyMismatch at speculation.draft.name: "
            + cause["message"].removeprefix("VocabularyMismatch: ")
        )

    def test_the_refusal_is_a_status_that_kubectl_shows_a_line_a_fault(self) -> None:
        status = answer("CREATE", body(**MISMATCHED))["status"]
        assert (status["status"], status["code"], status["reason"]) == ("Failure", 422, "Invalid")
        details = {name: status["details"][name] for name in ("group", "kind", "name")}
        assert details == {"group": "specdecode.dev", "kind": "SpecDecodeDeployment", "name": "chat"}

    def test_all_faults_are_named_at_once(self) -> None:
        spec = MISMATCHED | {"engine": {"version": "0.23.0", "extraArgs": ["--swap-space=4"]}}
        spec |= {"model": {"name": LLAMA_8B, "quantization": "awq"}, "fallbacks": [BAD_RUNG], "replicas": -1}
        response = answer("CREATE", body(**spec))
        assert {"InvalidField", "VocabularyMismatch", "QuantizationNotInCheckpoint", "FlagRemoved"} <= set(
            codes(response)
        )
        assert response["status"]["message"].startswith(f"pre-flight found {len(codes(response))} errors: ")

    def test_a_fallback_that_could_never_be_chosen_is_denied(self) -> None:
        response = answer("CREATE", body(**SOUND, fallbacks=[BAD_RUNG]))
        assert [cause["field"] for cause in response["status"]["details"]["causes"]] == [
            "spec.fallbacks[other].speculation.draft.name"
        ]

    @pytest.mark.parametrize("spec", [None, 7, "text", [], {}, {"model": 7}], ids=str)
    def test_what_is_no_spec_at_all_is_denied_as_such(self, spec: Any) -> None:
        response = answer("CREATE", {**body(), "spec": spec})
        assert (response["allowed"], set(codes(response))) == (False, {"InvalidField"})

    def test_a_name_too_long_for_the_children_is_named_where_it_stands(self) -> None:
        response = answer("CREATE", body("a" * 51, **SOUND))
        assert [cause["field"] for cause in response["status"]["details"]["causes"]] == ["metadata.name"]

    def test_the_status_is_not_looked_at(self) -> None:
        assert answer("CREATE", body(**SOUND) | {"status": {"replicas": "two"}})["allowed"]

    def test_a_dry_run_gets_the_same_answer(self) -> None:
        assert answer("CREATE", body(**MISMATCHED), dryRun=True) == answer("CREATE", body(**MISMATCHED))

    def test_what_is_asked_is_not_changed(self) -> None:
        document = asked("CREATE", body(**MISMATCHED))
        before = copy.deepcopy(document)
        review(document)
        assert document == before


class TestWarnings:
    def test_what_runs_otherwise_than_expected_denies_nothing(self) -> None:
        text = (
            "EngineVersionUnknown: spec.engine.version: the rules are known up to vLLM 0.33.0 and are applied to "
            "0.99.0 as they stand; compare with its release notes"
        )
        assert answer("CREATE", body(**NEWER)) == {"uid": "705ab4f5", "allowed": True, "warnings": [text]}

    def test_it_is_told_beside_errors_too(self) -> None:
        response = answer("CREATE", body(**NEWER | {"replicas": -1}))
        assert (response["allowed"], len(response["warnings"])) == (False, 1)

    def test_advice_is_not_told(self) -> None:
        assert answer("CREATE", body(**SOUND | {"model": {"name": "org/target"}})) == {
            "uid": "705ab4f5",
            "allowed": True,
        }

    def test_each_is_one_line_of_what_the_api_server_passes_on_whole(self) -> None:
        texts = answer("CREATE", body(**MISMATCHED))["warnings"]
        assert [len(text) for text in texts] == [256, 256]
        assert all(text.endswith("…") and "\n" not in text for text in texts)

    def test_all_together_too_and_the_rest_is_counted(self) -> None:
        rungs = [BAD_RUNG | {"name": f"rung-{number}"} for number in range(8)]
        texts = answer("CREATE", body(**SOUND, fallbacks=rungs))["warnings"]
        assert texts[-1] == "1 more; see specdecode plan"
        assert (len(texts), sum(map(len, texts)) <= 4096) == (16, True)


class TestUpdate:
    CASES: list[tuple[str, dict[str, Any], dict[str, Any], bool]] = [
        ("sound to sound", SOUND, SOUND | {"replicas": 3}, True),
        ("sound to broken", SOUND, MISMATCHED, False),
        ("broken to sound", MISMATCHED, SOUND, True),
        ("broken as before, something else changed", MISMATCHED, MISMATCHED | {"replicas": 3}, True),
        ("another error in place of the one before", MISMATCHED, TOO_LONG, False),
        ("one error more", MISMATCHED, MISMATCHED | {"engine": {"maxModelLen": 200_000}}, False),
        ("one error fewer", MISMATCHED | {"engine": {"maxModelLen": 200_000}}, MISMATCHED, True),
        ("the same error with another figure", TOO_LONG, SOUND | {"engine": {"maxModelLen": 190_000}}, True),
        ("broken and suspended", MISMATCHED, MISMATCHED | {"suspend": True}, True),
        ("a broken rung more", SOUND, SOUND | {"fallbacks": [BAD_RUNG]}, False),
        ("a second one", SOUND | {"fallbacks": [BAD_RUNG]}, SOUND | {"fallbacks": [BAD_RUNG, BAD_RUNG | {"name": "b"}]},
         False),
        ("unreadable to unreadable", {"model": 7}, {"model": 8}, True),
        ("unreadable to sound", {"model": 7}, SOUND, True),
    ]  # fmt: skip

    @pytest.mark.parametrize(("old", "new", "allowed"), [case[1:] for case in CASES], ids=[case[0] for case in CASES])
    def test_it_is_denied_only_where_it_brings_an_error(
        self, old: dict[str, Any], new: dict[str, Any], *, allowed: bool
    ) -> None:
        before, after = ({**body(), "spec": spec} for spec in (old, new))
        assert answer("UPDATE", after, before)["allowed"] is allowed

    def test_a_fault_that_was_there_before_is_told_as_a_warning(self) -> None:
        response = answer("UPDATE", body(**MISMATCHED, replicas=3), body(**MISMATCHED))
        assert response["warnings"][0].startswith(
            "VocabularyMismatch (error, as before): spec.speculation.draft.name: "
        )


UNSEEN: list[tuple[str, dict[str, Any]]] = [
    ("a deletion", asked("DELETE", None, body(**MISMATCHED))),
    ("a connection", asked("CONNECT", body(**MISMATCHED))),
    ("an unchanged spec", asked("UPDATE", body(**MISMATCHED, metadata={"labels": {"a": "b"}}), body(**MISMATCHED))),
    ("a status", asked("UPDATE", body(**MISMATCHED), body(**SOUND), subResource="status")),
    (
        "a scale",
        asked("UPDATE", {"apiVersion": "autoscaling/v1", "kind": "Scale", "metadata": {}}, subResource="scale"),
    ),
    (
        "an object that goes",
        asked("UPDATE", body(**MISMATCHED, metadata={"deletionTimestamp": "2026-03-01T12:00:00Z"}), body(**SOUND)),
    ),
]


@pytest.mark.parametrize("document", [case[1] for case in UNSEEN], ids=[case[0] for case in UNSEEN])
def test_what_is_no_new_or_changed_spec_is_allowed_unseen(document: dict[str, Any]) -> None:
    assert review(document)["response"] == {"uid": "705ab4f5", "allowed": True}


VALID = asked("CREATE", body(**SOUND))
SECRET = "hunter2"  # noqa: S105 - what must not be repeated


def changed(**request: Any) -> dict[str, Any]:
    return VALID | {"request": VALID["request"] | request}


MALFORMED: list[tuple[str, Any, str]] = [
    ("null", None, "the body is missing or wrong"),
    ("a list", [SECRET], "the body is missing or wrong"),
    ("a text", SECRET, "the body is missing or wrong"),
    ("empty", {}, "apiVersion is missing or wrong"),
    ("an old version", VALID | {"apiVersion": "admission.k8s.io/v1beta1"}, "apiVersion is missing or wrong"),
    ("another kind", VALID | {"kind": SECRET}, "kind is missing or wrong"),
    ("no request", VALID | {"request": None}, "request is missing or wrong"),
    ("no uid", changed(uid=""), "request.uid is missing or wrong"),
    ("a uid without end", changed(uid=SECRET * 100), "request.uid is missing or wrong"),
    ("an unknown operation", changed(operation=SECRET), "request.operation is missing or wrong"),
    ("an object that is none", changed(object=SECRET), "request.object is missing or wrong"),
    ("metadata that are none", changed(object=body() | {"metadata": SECRET}), "request.object.metadata is missing"),
    ("no object", changed(object=None), "lacks its object"),
    ("an update of nothing", changed(operation="UPDATE"), "lacks its object"),
    ("a resource of another kind", changed(object=body() | {"kind": SECRET}), "of no SpecDecodeDeployment"),
    ("of another version", changed(object=body() | {"apiVersion": SECRET}), "of no SpecDecodeDeployment"),
]


@pytest.mark.parametrize(
    ("document", "sentence"), [case[1:] for case in MALFORMED], ids=[case[0] for case in MALFORMED]
)
def test_what_is_no_review_is_refused_in_a_sentence_that_repeats_nothing(document: Any, sentence: str) -> None:
    with pytest.raises(MalformedReview) as caught:
        review(document)
    assert sentence in str(caught.value)
    assert SECRET not in str(caught.value)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=12,
)


class TestAnything:
    @given(JSON)
    def test_as_the_document_is_refused(self, document: Any) -> None:
        with pytest.raises(MalformedReview):
            review(document)

    @given(st.sampled_from(["model", "speculation", "engine", "resources", "fallbacks", "policy", "extra"]), JSON)
    def test_as_part_of_a_spec_gets_a_bounded_answer(self, name: str, value: Any) -> None:
        response = answer("CREATE", body(**SOUND | {name: value}))
        assert isinstance(response["allowed"], bool)
        assert len(json.dumps(response)) < 500_000

    def test_a_long_key_is_cut(self) -> None:
        spec = MISMATCHED | {"speculation": MISMATCHED["speculation"] | {"config": {"k" * 100_000: 1}}}
        assert len(json.dumps(answer("CREATE", body(**spec)))) < 10_000
