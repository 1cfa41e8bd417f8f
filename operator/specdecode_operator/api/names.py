"""Every name that the operator shares with the cluster: the resource, labels, annotations, managers."""

from typing import Final

GROUP: Final = "specdecode.dev"
VERSION: Final = "v1alpha1"
API_VERSION: Final = f"{GROUP}/{VERSION}"
KIND: Final = "SpecDecodeDeployment"
PLURAL: Final = "specdecodedeployments"
SINGULAR: Final = "specdecodedeployment"
SHORT_NAME: Final = "sdd"

FIELD_MANAGER: Final = "specdecode-operator"
WEBHOOK_FIELD_MANAGER: Final = "specdecode-operator-webhook"
"""Owns the CA bundle in the webhook's configuration, of which the rest is the release's."""
ENGINE_CONTAINER: Final = "engine"

NAME_LABEL: Final = f"{GROUP}/name"
FACTS_LABEL: Final = f"{GROUP}/facts-of"
"""Name of the resource, on a Job and its pods that read facts: they are no engines."""
ROLE_LABEL: Final = f"{GROUP}/role"
VARIANT_LABEL: Final = f"{GROUP}/variant"
VARIANT_HASH_LABEL: Final = f"{GROUP}/variant-hash"
PRIMARY_HASH_ANNOTATION: Final = f"{GROUP}/primary-hash"
UNFREEZE_ANNOTATION: Final = f"{GROUP}/unfreeze"
"""A person sets it on the resource, to the id in `status.frozen`; it counts once, since every freeze has its own id."""
APPROVE_ANNOTATION: Final = f"{GROUP}/approve"
"""A person sets it on the resource, to the id of a decision that is `Proposed`; it counts once, as every id does."""
PIN_ANNOTATION: Final = f"{GROUP}/pin"
"""A person sets it on the resource, to a variant and perhaps `@` and a time; it holds that variant until then."""

ROLE_STABLE: Final = "stable"
ROLE_TRIAL: Final = "trial"

TRIAL_SUFFIX: Final = "-trial"
"""What the name of a resource's trial Deployment ends with, after the resource's own."""
ROLE_FACTS: Final = "facts"
"""A pod that reads what no catalog knows of a model."""

PRIMARY_VARIANT: Final = "primary"
"""The variant that `spec` itself describes."""

NO_SPECULATION_VARIANT: Final = "no-speculation"
"""The built-in last rung: the target alone."""

MAX_NAME_LENGTH: Final = 50
"""Longest name of a resource, so that the names of its children fit into 63 characters."""
