"""Guardrails of AWS resources."""
