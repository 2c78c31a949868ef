"""The platform's own jobs."""
