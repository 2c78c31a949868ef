"""SLOs as Prometheus rules."""
