"""Pulumi plugins where the official ones cannot be had: a language host and provider stand-ins."""
