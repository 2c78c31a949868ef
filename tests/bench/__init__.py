"""Measures the program and the embedded platform: `python -m tests.bench`, or with names of measurements."""
