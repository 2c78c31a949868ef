"""The Kubernetes stand-in on the real engine and a real API server."""

import pytest

from tests.plugins.harness import Platform, Stack

pytestmark = pytest.mark.engine

HEADER = """
import pulumi
import pulumi_kubernetes as kubernetes

config = pulumi.Config()
settings = config.get_object("settings") or {}
provider = kubernetes.Provider("cluster", kubeconfig=config.require("kubeconfig"), cluster_identifier="test")

def manifest(token, name, props, depends_on=()):
    options = pulumi.ResourceOptions(provider=provider, depends_on=list(depends_on))
    return pulumi.CustomResource(f"kubernetes:{token}", name, props, options)
"""

PROGRAM = (
    HEADER
    + """
space = manifest("core/v1:Namespace", "space", {"metadata": {"name": "lifecycle"}})
inside = {"namespace": "lifecycle"}

crd = manifest(
    "apiextensions.k8s.io/v1:CustomResourceDefinition",
    "crd",
    {
        "metadata": {"name": "widgets.example.com"},
        "spec": {
            "group": "example.com",
            "scope": "Namespaced",
            "names": {"plural": "widgets", "singular": "widget", "kind": "Widget", "listKind": "WidgetList"},
            "versions": [
                {
                    "name": "v1",
                    "served": True,
                    "storage": True,
                    "schema": {
                        "openAPIV3Schema": {
                            "type": "object",
                            "properties": {
                                "spec": {
                                    "type": "object",
                                    "properties": {
                                        "size": {"type": "integer", "maximum": 10},
                                        "colour": {"type": "string", "default": "red"},
                                        "factor": {"type": "number"},
                                        "parts": {"type": "array", "items": {"type": "string"}},
                                    },
                                }
                            },
                        }
                    },
                }
            ],
        },
    },
)
manifest(
    "example.com/v1:Widget",
    "widget",
    {
        "metadata": {"name": "widget", **inside},
        "spec": {"size": settings.get("size", 3), "factor": 1.5, "parts": ["a", "b"]},
    },
    [crd, space],
)
named = manifest(
    "core/v1:ConfigMap",
    "named",
    {"metadata": inside, "data": {"app.yaml": settings.get("data", "1")}},
    [space],
)
manifest(
    "core/v1:Secret",
    "secret",
    {
        "metadata": {"name": "secret", **inside},
        "stringData": {"password": pulumi.Output.secret("hunter2")},
    },
    [space],
)
manifest(
    "core/v1:Service",
    "service",
    {
        "metadata": {"name": "service", **inside},
        "spec": {"selector": {"app": "web"}, "ports": [{"name": "http", "port": 80, "targetPort": "http"}]},
    },
    [space],
)
manifest(
    "networking.k8s.io/v1:NetworkPolicy",
    "deny",
    {
        "metadata": {"name": "deny", **inside},
        "spec": {"podSelector": {}, "policyTypes": ["Ingress", "Egress"], "ingress": [], "egress": []},
    },
    [space],
)
deployment = manifest(
    "apps/v1:Deployment",
    "web",
    {
        "metadata": {"name": "web", **inside, "labels": {"app": "web"}},
        "spec": {
            "replicas": 0,
            "selector": {"matchLabels": {"app": settings.get("selector", "web")}},
            "template": {
                "metadata": {"labels": {"app": settings.get("selector", "web")}},
                "spec": {
                    "containers": [
                        {
                            "name": "web",
                            "image": settings.get("image", "registry.test/web:1"),
                            "resources": {"requests": {"cpu": "0.5", "memory": "1024Mi"}},
                            "env": [{"name": "LEVEL", "value": "info"}],
                        }
                    ]
                },
            },
        },
    },
    [space],
)
manifest(
    "batch/v1:CronJob",
    "nightly",
    {
        "metadata": {"name": "nightly", **inside},
        "spec": {
            "schedule": "0 2 * * *",
            "concurrencyPolicy": "Forbid",
            "jobTemplate": {
                "spec": {
                    "template": {
                        "spec": {
                            "restartPolicy": "Never",
                            "containers": [{"name": "job", "image": "registry.test/job:1"}],
                        }
                    }
                }
            },
        },
    },
    [space],
)
manifest("rbac.authorization.k8s.io/v1:Role", "role", {
    "metadata": {"name": "role", **inside},
    "rules": [{"apiGroups": [""], "resources": ["pods"], "verbs": ["get"]}],
}, [space])
pulumi.export("named", named.id)
"""
)


def configure(stack: Stack, **settings: object) -> None:
    stack.configure(kubeconfig=str(stack.platform.kubeconfig), settings=settings)


def merge(platform: Platform, path: str, patch: dict[str, object]) -> None:
    """What `kubectl edit` does."""
    platform.cluster.request(
        "PATCH", path, patch, content_type="application/merge-patch+json", fieldManager="kubectl-edit"
    )


CONFIG_MAPS = "/api/v1/namespaces/lifecycle/configmaps"
DEPLOYMENT = "/apis/apps/v1/namespaces/lifecycle/deployments/web"
WIDGET = "/apis/example.com/v1/namespaces/lifecycle/widgets/widget"


def test_objects_of_any_kind_live_through_up_drift_replacement_and_destroy(
    stack: Stack, platform: Platform
) -> None:
    cluster = platform.cluster
    configure(stack)
    stack.write(PROGRAM)

    assert "12 to create" in stack.preview().stdout, "a CRD and its objects are previewed together"

    stack.up()
    name = stack.outputs()["named"].removeprefix("lifecycle/")
    assert name.startswith("named-")
    assert len(name) == len("named-") + 8
    assert cluster.request("GET", f"{CONFIG_MAPS}/{name}")["data"] == {"app.yaml": "1"}
    assert cluster.request("GET", WIDGET)["spec"]["colour"] == "red"
    exported = stack.pulumi("stack", "export").stdout
    assert "hunter2" not in exported
    assert "aHVudGVyMg==" not in exported, "nor in base64"

    stack.up("--expect-no-changes")
    assert stack.drift() == {}, (
        "neither defaults, nor 0.5 CPU stored as 500m, nor dropped empty lists are drift"
    )

    merge(platform, DEPLOYMENT, {"metadata": {"labels": {"app": None}}})
    merge(platform, WIDGET, {"spec": {"parts": ["a", "b", "c"]}})
    merge(platform, "/api/v1/namespaces/lifecycle/secrets/secret", {"data": {"password": "eA=="}})
    cluster.request("DELETE", "/apis/batch/v1/namespaces/lifecycle/cronjobs/nightly")
    assert stack.drift() == {"web": "update", "widget": "update", "secret": "update", "nightly": "delete"}


def test_updates_change_what_can_be_changed_and_replace_what_cannot(stack: Stack, platform: Platform) -> None:
    cluster = platform.cluster
    configure(stack)
    stack.write(PROGRAM.replace("lifecycle", "updates").replace("example.com", "updates.example.com"))
    stack.up()
    path = DEPLOYMENT.replace("lifecycle", "updates")
    first = cluster.request("GET", path)["metadata"]["uid"]
    name = stack.outputs()["named"]

    configure(stack, image="registry.test/web:2", size=4)
    assert "2 to update" in stack.preview().stdout
    stack.up()
    changed = cluster.request("GET", path)
    assert changed["spec"]["template"]["spec"]["containers"][0]["image"] == "registry.test/web:2"
    assert changed["metadata"]["uid"] == first

    configure(stack, image="registry.test/web:2", size=4, selector="other", data="2")
    preview = stack.preview().stdout
    assert "2 to replace" in preview
    assert "spec.selector" in preview or "matchLabels" in preview
    stack.up()
    assert cluster.request("GET", path)["metadata"]["uid"] != first
    assert stack.outputs()["named"] != name, "as the official plugin: new contents make a new ConfigMap"

    configure(stack, size=11)
    refused = stack.preview(check=False)
    assert refused.returncode
    assert "spec.size" in refused.stdout + refused.stderr, "the schema judges a preview"

    stack.destroy()
    names = {item["metadata"]["name"] for item in cluster.request("GET", "/api/v1/namespaces")["items"]}
    assert "updates" not in names
    definitions = cluster.request("GET", "/apis/apiextensions.k8s.io/v1/customresourcedefinitions")["items"]
    assert "widgets.updates.example.com" not in {item["metadata"]["name"] for item in definitions}
