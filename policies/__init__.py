"""CrossGuard policy packs: guardrails that every preview and update runs."""
