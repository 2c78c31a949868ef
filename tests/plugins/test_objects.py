"""Kubernetes objects: names, replacements, secrets."""

from typing import Any

import pytest

from local.plugins.kubernetes import objects
from local.plugins.kubernetes.backend import KubernetesBackend

SEED = bytes.fromhex("0badcafe00")


def test_a_manifest_gets_its_kind_from_the_token_and_a_name_that_lasts() -> None:
    made = objects.complete({"data": {}}, "kubernetes:core/v1:ConfigMap", "settings", {}, SEED)
    assert (made["apiVersion"], made["kind"]) == ("v1", "ConfigMap")
    assert made["metadata"]["name"] == "settings-0badcafe"
    again = objects.complete({"data": {}}, "kubernetes:core/v1:ConfigMap", "settings", made, b"1234")
    assert again["metadata"]["name"] == "settings-0badcafe"
    grouped = objects.complete({}, "kubernetes:apps/v1:Deployment", "web", {}, SEED)
    assert grouped["apiVersion"] == "apps/v1"


def object_of(kind: str, **fields: Any) -> dict[str, Any]:
    return {"apiVersion": "v1", "kind": kind, "metadata": {"name": "x", "namespace": "y"}, **fields}


@pytest.mark.parametrize(
    ("old", "new", "replaces"),
    [
        (object_of("Role", rules=[1]), object_of("Role", rules=[2]), False),
        (
            object_of("RoleBinding", roleRef={"name": "a"}),
            object_of("RoleBinding", roleRef={"name": "b"}),
            True,
        ),
        (object_of("Job", spec={"template": {"a": 1}}), object_of("Job", spec={"template": {"a": 2}}), True),
        (object_of("Job", spec={"suspend": True}), object_of("Job", spec={"suspend": False}), False),
        (object_of("Service", spec={"clusterIP": "None"}), object_of("Service", spec={}), True),
        (object_of("CronJob", spec={"schedule": "1"}), object_of("CronJob", spec={"schedule": "2"}), False),
    ],
)
def test_only_immutable_fields_replace_an_object(
    old: dict[str, Any],
    new: dict[str, Any],
    replaces: bool,  # noqa: FBT001 a parameter of the table
) -> None:
    diff = objects.compare(old, new, frozenset())
    assert diff.differences
    assert bool(diff.replaces) is replaces
    assert diff.delete_first is replaces, "the name is explicit: there is no room for two"


def test_contents_replace_a_config_map_unless_the_provider_or_the_object_says_otherwise() -> None:
    old, new = object_of("ConfigMap", data={"a": "1"}), object_of("ConfigMap", data={"a": "2"})
    assert objects.compare(old, new, frozenset()).replaces
    assert not objects.compare(old, new, frozenset({"ConfigMap"})).replaces
    assert objects.compare({**old, "immutable": True}, new, frozenset({"ConfigMap"})).replaces


def test_another_name_is_created_before_the_old_one_is_deleted() -> None:
    new = object_of("ConfigMap")
    new["metadata"]["name"] = "z"
    diff = objects.compare(object_of("ConfigMap"), new, frozenset())
    assert diff.replaces == {"metadata.name"}
    assert not diff.delete_first


@pytest.mark.parametrize(
    ("old", "new", "replaced"),
    [
        ({"clusterIdentifier": "a", "kubeconfig": "x"}, {"clusterIdentifier": "a", "kubeconfig": "y"}, []),
        ({"clusterIdentifier": "a"}, {"clusterIdentifier": "b"}, ["clusterIdentifier"]),
        (
            {"kubeconfig": '{"clusters": [{"cluster": {"server": "https://a"}}]}'},
            {"kubeconfig": '{"clusters": [{"cluster": {"server": "https://b"}}]}'},
            ["kubeconfig"],
        ),
    ],
)
def test_a_provider_is_replaced_only_when_it_means_another_cluster(
    old: dict[str, Any], new: dict[str, Any], replaced: list[str]
) -> None:
    assert KubernetesBackend().replaces_provider(old, new) == replaced
