"""The namespace that the platform's own jobs run in."""
