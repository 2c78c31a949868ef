"""The nightly pack: what the platform's policies, SLOs, deliveries and costs really were, signed."""
