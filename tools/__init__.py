"""Pinned third-party programs and the installer that provides them (standard library only)."""
