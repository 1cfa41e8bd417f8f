"""What running engines say of their release, in the words of the status."""

from specdecode_operator.api.remarks import Remark
from specdecode_operator.api.v1alpha1 import MAX_WARNINGS, PreflightStatus, PreflightWarning, Spec, Status
from specdecode_operator.engine import Version, other_release
from specdecode_operator.policy.ladder import Variant

__all__ = ["with_releases"]

_CODE = "EngineVersionMismatch"


def with_releases(
    plan: PreflightStatus | None,
    releases: frozenset[Version] | None,
    *,
    spec: Spec,
    status: Status,
    variant: Variant,
) -> PreflightStatus | None:
    """Return `plan` with a warning where engines of `variant` run another release than `spec` says.

    Before any of them has been asked (`releases` is empty), what `status` says of the same variant still stands. None
    asks for no comparison.
    """
    if releases is None:
        return plan
    if not releases:
        return _with(plan, _kept(status, variant))
    found = other_release(Version.parse(spec.engine.version), releases)
    return _with(plan, None if found is None else _warning(found))


def _warning(remark: Remark) -> PreflightWarning:
    return PreflightWarning(code=remark.code, field=remark.field, message=remark.message)


def _kept(status: Status, variant: Variant) -> PreflightWarning | None:
    known = status.plan.warnings if status.plan is not None and status.variant_hash == variant.hash else []
    return next((warning for warning in known if warning.code == _CODE), None)


def _with(plan: PreflightStatus | None, warning: PreflightWarning | None) -> PreflightStatus | None:
    """Return `plan` with `warning` in front: of too many, others are cut off."""
    if warning is None:
        return plan
    found = plan or PreflightStatus()
    return found.model_copy(update={"warnings": [warning, *found.warnings][:MAX_WARNINGS]})
