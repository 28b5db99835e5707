"""One comment on a pull request, which later runs change in place."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final

from compress_guard.errors import UsageError
from compress_guard.github.api import GitHubApi
from compress_guard.github.workflow import mapping

_PAGE: Final = 100
"""Most comments of an answer."""
_MOST_PAGES: Final = 50
"""Most answers that are looked through for the comment."""
LONGEST: Final = 65_536
"""Most characters of a comment."""


def marker(name: str, workflow: str | None) -> str:
    """Return the invisible first line of the comment of this name in the workflow of this file.

    Two workflows may use one name: the comment of one must not take the place of the other's. Raises `UsageError` for
    a name that could end the line.
    """
    if not re.fullmatch(r"[A-Za-z0-9._-]{1,100}", name) or "--" in name:
        remedy = "use letters, digits, dots, underscores and single hyphens"
        raise UsageError("--name", f"{name!r} cannot name a comment", remedy)
    # The name of a file may have any characters, those that end a comment too.
    file = "" if workflow is None else f" in {re.sub('[^A-Za-z0-9._]+', '-', workflow)}"
    return f"<!-- compress-guard: {name}{file} -->"


def put_comment(api: GitHubApi, pull_request: int, text: str, *, first_line: str, author: str) -> None:
    """Write the comment with this marker by this author, over the one that is there; raises `GitHubRefusal`.

    A comment counts only if it begins with the marker and is by the author, since anybody may write the marker.
    """
    body = f"{first_line}\n{text}"
    if len(body) > LONGEST:
        raise UsageError("comment", f"the text has {len(text)} characters", f"shorten it to {LONGEST - 200}")
    known = _find(api, pull_request, first_line, author)
    if known is None:
        api.send("POST", f"/issues/{pull_request}/comments", body=body)
    else:
        api.send("PATCH", f"/issues/comments/{known}", body=body)


def _find(api: GitHubApi, pull_request: int, first_line: str, author: str) -> int | None:
    """Return the number of the oldest comment with this first line by this author; None if there is none."""
    for page in range(1, _MOST_PAGES + 1):
        comments = api.get(f"/issues/{pull_request}/comments", per_page=_PAGE, page=page)
        for comment in comments if isinstance(comments, list) else ():
            number = mapping(comment).get("id")
            if isinstance(number, int) and _is_own(mapping(comment), first_line, author):
                return number
        if not isinstance(comments, list) or len(comments) < _PAGE:
            return None
    return None


def _is_own(comment: Mapping[str, object], first_line: str, author: str) -> bool:
    lines = str(comment.get("body") or "").splitlines()
    login = mapping(comment.get("user")).get("login")  # the account may be gone
    return login == author and lines[:1] == [first_line]
