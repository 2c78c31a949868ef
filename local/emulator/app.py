"""The emulator as a WSGI application: moto, with persistence and replication around each request."""

from __future__ import annotations

import io
import os
import re
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs

from moto.moto_server.werkzeug_app import DomainDispatcherApplication, create_backend_app

from local.emulator import authorization, kms_digest, s3_answers
from local.emulator.client import HEALTH_PATH
from local.emulator.persistence import Persistence
from local.emulator.replication import Replication

_READING_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})
_READING_ACTION = re.compile(r"(BatchGet|Describe|Get|Head|List|Scan|Search|Verify)")
# Long polling: it may wait for 20 s, and a snapshot must not wait for it.
_WAITING_ACTION = "ReceiveMessage"


class EmulatorApplication:
    """Serves AWS from one state file."""

    def __init__(self, state: Path) -> None:
        authorization.install()
        kms_digest.install()
        s3_answers.install()
        self.persistence = Persistence(state)
        self.persistence.load()
        self._replication = Replication(self.persistence)
        self._replication.install()
        self.persistence.start()
        self._moto = DomainDispatcherApplication(create_backend_app)

    def __call__(self, environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        """Answer one request."""
        if environ["PATH_INFO"] == HEALTH_PATH:
            start_response("200 OK", [("Content-Type", "text/plain")])
            return [str(os.getpid()).encode()]
        action = _action(environ)
        if environ["REQUEST_METHOD"] in _READING_METHODS or _READING_ACTION.match(action):
            return self._answer(environ, start_response)
        if action == _WAITING_ACTION:
            try:
                return self._answer(environ, start_response)
            finally:
                self.persistence.mark()
        with self.persistence.change():
            self._replication.begin_request()
            answer = self._answer(environ, start_response)
            self._replication.end_request()
            return answer

    def _answer(self, environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        answer: Iterable[bytes] = self._moto(environ, start_response)
        return answer


def _action(environ: dict[str, Any]) -> str:
    """The operation of a JSON or query request, empty for the REST services."""
    target = environ.get("HTTP_X_AMZ_TARGET", "")
    if target:
        return str(target).rpartition(".")[2]
    if str(environ.get("CONTENT_TYPE", "")).startswith("application/x-www-form-urlencoded"):
        body = environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0))
        environ["wsgi.input"] = io.BytesIO(body)
        parameters: dict[str, list[str]] = parse_qs(body.decode("utf-8", "replace"))
        return parameters.get("Action", [""])[0]
    return ""
