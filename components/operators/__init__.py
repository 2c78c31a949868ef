"""Operators that the platform builds on: Prometheus, KEDA, Argo Rollouts, Kyverno."""
