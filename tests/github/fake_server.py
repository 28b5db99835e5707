"""A stand-in for GitHub's REST interface, with answers as its documentation shows them.

https://docs.github.com/en/rest/actions/workflow-runs, https://docs.github.com/en/rest/actions/artifacts,
https://docs.github.com/en/rest/issues/comments
"""

from __future__ import annotations

import contextlib
import json
import re
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

OWN = {"id": 1296269, "full_name": "owner/name"}
FORK = {"id": 777, "full_name": "stranger/name"}
BOT = "github-actions[bot]"


def workflow_run(number: int, **more: Any) -> dict[str, Any]:
    return {
        "id": number,
        "name": "model gate",
        "head_branch": "main",
        "head_sha": f"{number:040x}",
        "event": "push",
        "status": "completed",
        "conclusion": "success",
        "repository": OWN,
        "head_repository": OWN,
        **more,
    }


@dataclass
class FakeGitHub:
    """The repository, and what was asked of it."""

    runs: list[dict[str, Any]] = field(default_factory=list)
    artifacts: dict[int, list[dict[str, Any]]] = field(default_factory=dict)
    archives: dict[int, bytes] = field(default_factory=dict)
    comments: list[dict[str, Any]] = field(default_factory=list)
    refused: dict[str, tuple[int, str]] = field(default_factory=dict)
    """Status and message for requests whose method or path begin so."""
    asked: list[tuple[str, str, dict[str, str], str | None]] = field(default_factory=list)
    """Method, path, query and the header Authorization of each request."""
    files: str = ""
    """Address of the server of files."""
    url: str = ""

    def keep(self, run: dict[str, Any], archive: bytes, **more: Any) -> None:
        """Add a run that left an artifact."""
        number = len(self.archives) + 11
        self.runs.append(run)
        self.artifacts[run["id"]] = [{"id": number, "name": "compress-guard", "expired": False, **more}]
        self.archives[number] = archive

    def comment(self, body: str, login: str | None = BOT) -> int:
        number = len(self.comments) + 1
        user = None if login is None else {"login": login, "type": "User"}
        self.comments.append({"id": number, "body": body, "user": user})
        return number

    @property
    def bodies(self) -> list[str]:
        return [comment["body"] for comment in self.comments]

    @property
    def requests(self) -> list[str]:
        return [f"{method} {path}" for method, path, _, _ in self.asked]

    def answer(self, method: str, path: str, query: dict[str, str], body: Any) -> tuple[int, Any]:
        for start, (status, message) in self.refused.items():
            if f"{method} {path}".startswith(start):
                return status, {"message": message, "status": str(status)}
        below = path.removeprefix("/repos/owner/name")
        if re.fullmatch(r"/actions/workflows/[\w.-]+/runs", below):
            runs = [run for run in self.runs if run["head_branch"] == query["branch"]]
            return 200, {"total_count": len(runs), "workflow_runs": runs}
        if match := re.fullmatch(r"/actions/runs/(\d+)/artifacts", below):
            found = [each for each in self.artifacts.get(int(match[1]), []) if each["name"] == query["name"]]
            return 200, {"total_count": len(found), "artifacts": found}
        if match := re.fullmatch(r"/actions/artifacts/(\d+)/zip", below):
            return 302, f"{self.files}/{match[1]}"
        if match := re.fullmatch(r"/issues/(\d+)/comments", below):
            if method == "POST":
                self.comment(body["body"])
                return 201, self.comments[-1]
            first = (int(query["page"]) - 1) * int(query["per_page"])
            return 200, self.comments[first : first + int(query["per_page"])]
        if (match := re.fullmatch(r"/issues/comments/(\d+)", below)) and method == "PATCH":
            self.comments[int(match[1]) - 1]["body"] = body["body"]
            return 200, self.comments[int(match[1]) - 1]
        return 404, {"message": "Not Found", "status": "404"}


def _handler(github: FakeGitHub, *, files: bool) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def _serve(self) -> None:
            split = urlsplit(self.path)
            query = {key: values[0] for key, values in parse_qs(split.query).items()}
            shown = f"files{split.path}" if files else split.path
            github.asked.append((self.command, shown, query, self.headers.get("Authorization")))
            length = int(self.headers.get("Content-Length") or 0)
            body = json.loads(self.rfile.read(length)) if length else None
            if files:
                status, content = 200, github.archives[int(split.path.strip("/"))]
            else:
                status, answer = github.answer(self.command, split.path, query, body)
                content = b"" if status == 302 else json.dumps(answer).encode()
            self.send_response(status)
            if status == 302:
                self.send_header("Location", answer)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        do_GET = do_POST = do_PATCH = _serve

        def log_message(self, *args: object) -> None:
            pass

    return Handler


@contextlib.contextmanager
def serving() -> Iterator[FakeGitHub]:
    """Serve an empty repository, and its files from another server, as GitHub does."""
    github = FakeGitHub()
    with contextlib.ExitStack() as stack:
        for files in (False, True):
            server = stack.enter_context(ThreadingHTTPServer(("127.0.0.1", 0), _handler(github, files=files)))
            thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
            thread.start()
            stack.callback(thread.join)
            stack.callback(server.shutdown)
            address = f"http://127.0.0.1:{server.server_address[1]}"
            github.files, github.url = (address, github.url) if files else (github.files, address)
        yield github
