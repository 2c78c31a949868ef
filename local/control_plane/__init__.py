"""Kubernetes control planes on loopback: etcd, kube-apiserver and kube-controller-manager per region."""
