"""Requests to the REST interface of GitHub: https://docs.github.com/en/rest."""

from __future__ import annotations

import http.client
import json
import time
import urllib.error
import urllib.request
from typing import Final
from urllib.parse import urlencode, urlsplit

from compress_guard import __version__
from compress_guard.errors import CompressGuardError, described
from compress_guard.github.workflow import Workflow

_SECONDS: Final = 30
"""Most time that a server may be silent."""
_LARGEST_ANSWER: Final = 2**24
"""Most bytes of an answer that is no file."""
_PAUSE: Final = 2.0
"""Seconds until a question is asked once more."""


class GitHubRefusal(CompressGuardError):
    """An answer that is no success, or none at all."""

    def __init__(self, question: str, status: int | None, found: str) -> None:
        super().__init__(f"{question}: {found}")
        self.status: Final = status
        """Status of the answer; None if there was none."""


class GitHubApi:
    """The interface of the repository of a run, with the token of the job."""

    def __init__(self, workflow: Workflow) -> None:
        self._workflow: Final = workflow
        self._root: Final = f"{workflow.api}/repos/{workflow.repository}"

    def get(self, path: str, **query: str | int) -> object:
        """Return the answer to a question about the repository; raises `GitHubRefusal`."""
        return self._json(*self._asked("GET", path + (f"?{urlencode(query)}" if query else "")))

    def send(self, method: str, path: str, **fields: str) -> object:
        """Return the answer to a request that changes something; raises `GitHubRefusal`."""
        return self._json(*self._asked(method, path, json.dumps(fields).encode()))

    def download(self, path: str, largest: int) -> bytes:
        """Return a file of the repository; raises `GitHubRefusal`, for one of more than `largest` bytes too."""
        answer, question = self._asked("GET", path, largest=largest)
        if len(answer) > largest:
            raise GitHubRefusal(question, None, f"the file has more than {largest} bytes")
        return answer

    def _asked(
        self, method: str, path: str, body: bytes | None = None, largest: int = _LARGEST_ANSWER
    ) -> tuple[bytes, str]:
        """Return the answer and the question; what changes nothing is asked twice where the server has a bad moment."""
        question = f"{method} {path.partition('?')[0]}"
        try:
            return self._answer(method, path, body, largest), question
        except GitHubRefusal as refusal:
            if method != "GET" or (refusal.status is not None and refusal.status < 500):
                raise
        time.sleep(_PAUSE)
        return self._answer(method, path, body, largest), question

    def _answer(self, method: str, path: str, body: bytes | None, largest: int) -> bytes:
        question = f"{method} {path.partition('?')[0]}"
        address = f"{self._root}{path}"
        if urlsplit(address).scheme not in ("http", "https"):
            raise GitHubRefusal(question, None, f"{self._workflow.api} is no address of a web server")
        request = urllib.request.Request(address, body, method=method)  # noqa: S310 - the scheme is checked above
        request.add_header("Accept", "application/vnd.github+json")
        request.add_header("X-GitHub-Api-Version", "2022-11-28")
        request.add_header("User-Agent", f"compress-guard/{__version__}")
        if body is not None:
            request.add_header("Content-Type", "application/json")
        if self._workflow.token is not None:
            # Files lie on another server, to which an answer leads: it must not see the token.
            request.add_unredirected_header("Authorization", f"Bearer {self._workflow.token}")
        try:
            with urllib.request.urlopen(request, timeout=_SECONDS) as answer:  # noqa: S310 - as above
                content: bytes = answer.read(largest + 1)
                return content
        except urllib.error.HTTPError as problem:
            raise GitHubRefusal(question, problem.code, _reason(problem)) from problem
        except (OSError, http.client.HTTPException) as problem:
            raise GitHubRefusal(question, None, described(problem)) from problem

    def _json(self, answer: bytes, question: str) -> object:
        try:
            read: object = json.loads(answer)
        except (ValueError, RecursionError) as problem:
            raise GitHubRefusal(question, None, f"the answer is no JSON ({described(problem)})") from problem
        return read


def _reason(problem: urllib.error.HTTPError) -> str:
    """Return the status of an answer, and the message in it: ``403 Resource not accessible by integration``."""
    try:
        message = json.loads(problem.read(_LARGEST_ANSWER))["message"]
    except (OSError, ValueError, KeyError, TypeError, RecursionError, http.client.HTTPException):
        message = problem.reason
    finally:
        problem.close()
    return f"{problem.code} {message}"
