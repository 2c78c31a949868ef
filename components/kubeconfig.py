"""The kubeconfig of an EKS cluster, with a token that AWS makes at each use."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pulumi

if TYPE_CHECKING:
    import pulumi_aws as aws


def eks_kubeconfig(cluster: pulumi.Output[aws.eks.GetClusterResult], region: str) -> pulumi.Output[str]:
    """A kubeconfig that needs the `aws` program where the Kubernetes provider runs.

    https://docs.aws.amazon.com/eks/latest/userguide/create-kubeconfig.html

    Args:
        cluster: What `aws.eks.get_cluster_output` found.
        region: AWS region of the cluster.

    Returns:
        The kubeconfig as JSON, which is YAML as well.
    """
    return pulumi.Output.json_dumps(
        {
            "apiVersion": "v1",
            "kind": "Config",
            "clusters": [
                {
                    "name": "eks",
                    "cluster": {
                        "server": cluster.endpoint,
                        "certificate-authority-data": cluster.certificate_authorities[0].data,
                    },
                }
            ],
            "users": [
                {
                    "name": "aws",
                    "user": {
                        "exec": {
                            "apiVersion": "client.authentication.k8s.io/v1beta1",
                            "command": "aws",
                            "args": ["eks", "get-token", "--region", region, "--cluster-name", cluster.name],
                            "interactiveMode": "Never",
                        }
                    },
                }
            ],
            "contexts": [{"name": "eks", "context": {"cluster": "eks", "user": "aws"}}],
            "current-context": "eks",
        }
    )
