"""Pulumi plugins for machines that cannot download the official ones: a language host and provider stand-ins."""
