"""The table of custom resource definitions: read from the operators' own pinned Go modules."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class CrdSource:
    """Where one operator's definitions are.

    Attributes:
        operator: Folder name of what is written.
        module: Go module path.
        version: Module version.
        sum_h1: The module's hash as in go.sum; the download is checked against it.
        files: YAML files inside the module.
    """

    operator: str
    module: str
    version: str
    sum_h1: str
    files: tuple[str, ...]


CRD_SOURCES = (
    CrdSource(
        operator="prometheus-operator",
        module="github.com/prometheus-operator/prometheus-operator",
        version="v0.85.0",
        sum_h1="h1:M5xLCLEoaW2IJfnuCwFzzpL+jSVQu3KGT84Pye+fW8s=",
        files=(
            "example/prometheus-operator-crd/monitoring.coreos.com_prometheusrules.yaml",
            "example/prometheus-operator-crd/monitoring.coreos.com_servicemonitors.yaml",
        ),
    ),
    CrdSource(
        operator="kyverno",
        module="github.com/kyverno/kyverno",
        version="v1.19.1",
        sum_h1="h1:/MkgFii3/VlQfKR1JpC9tVwNNVNQTt2S4U6qCsafsTU=",
        files=(
            "config/crds/policies.kyverno.io/policies.kyverno.io_validatingpolicies.yaml",
            "config/crds/policies.kyverno.io/policies.kyverno.io_imagevalidatingpolicies.yaml",
            "config/crds/policies.kyverno.io/policies.kyverno.io_policyexceptions.yaml",
        ),
    ),
    CrdSource(
        operator="keda",
        module="github.com/kedacore/keda/v2",
        version="v2.21.0",
        sum_h1="h1:R6z2HZvstK4RLUMxroNACzBj74xGxt3kG59b5Xc+Xps=",
        files=(
            "config/crd/bases/keda.sh_scaledobjects.yaml",
            "config/crd/bases/keda.sh_triggerauthentications.yaml",
        ),
    ),
    CrdSource(
        operator="argo-rollouts",
        module="github.com/argoproj/argo-rollouts",
        version="v1.10.1",
        sum_h1="h1:6oyVPGiHHxu3ixkT6mngemh88HLPDoTX1IwO6KNR1Y4=",
        files=("manifests/crds/rollout-crd.yaml", "manifests/crds/analysis-template-crd.yaml"),
    ),
)
