"""The part of GitHub's expressions that the action and the workflows use.

https://docs.github.com/en/actions/reference/workflows-and-actions/expressions
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from typing import Any, Final

_TOKEN: Final = re.compile(r"\s*(?:(?P<op>==|!=|&&|\|\||[!(),])|'(?P<text>(?:[^']|'')*)'|(?P<name>[\w.-]+))")
_STATUS: Final = re.compile(r"\b(always|success|failure|cancelled)\(")


class Expression:
    """One expression, evaluated by recursive descent."""

    def __init__(self, text: str, context: Mapping[str, Any], functions: Mapping[str, Callable[..., Any]]) -> None:
        self._context = context
        self._functions = functions
        self._tokens: list[tuple[str, str]] = []
        position, text = 0, text.strip()
        while position < len(text):
            match = _TOKEN.match(text, position)
            assert match, f"not understood: {text[position:]!r} in {text!r}"
            kind = match.lastgroup
            self._tokens.append((kind, match[kind]))
            position = match.end()
        self._at = 0

    def value(self) -> Any:
        result = self._either()
        assert self._at == len(self._tokens), self._tokens[self._at :]
        return result

    def _take(self, operator: str) -> bool:
        if self._tokens[self._at : self._at + 1] == [("op", operator)]:
            self._at += 1
            return True
        return False

    def _either(self) -> Any:
        left = self._both()
        while self._take("||"):
            right = self._both()
            left = left if truth(left) else right
        return left

    def _both(self) -> Any:
        left = self._compared()
        while self._take("&&"):
            right = self._compared()
            left = right if truth(left) else left
        return left

    def _compared(self) -> Any:
        left = self._one()
        for operator, wanted in (("==", True), ("!=", False)):
            if self._take(operator):
                return equal(left, self._one()) is wanted
        return left

    def _one(self) -> Any:
        if self._take("!"):
            return not truth(self._one())
        if self._take("("):
            inner = self._either()
            assert self._take(")")
            return inner
        kind, word = self._tokens[self._at]
        self._at += 1
        if kind == "text":
            return word.replace("''", "'")
        assert kind == "name", word
        if self._take("("):
            arguments = []
            while not self._take(")"):
                arguments.append(self._either())
                self._take(",")
            return self._functions[word](*arguments)
        if word in ("true", "false", "null"):
            return json.loads(word)
        if re.fullmatch(r"-?[0-9.]+", word):
            return float(word)
        return self._looked_up(word)

    def _looked_up(self, name: str) -> Any:
        value: Any = self._context
        for part in name.split("."):
            value = value.get(part) if isinstance(value, Mapping) else None
        return value


def truth(value: Any) -> bool:
    return value not in (None, False, 0, "")


def equal(left: Any, right: Any) -> bool:
    if isinstance(left, str) and isinstance(right, str):
        return left.casefold() == right.casefold()
    return _number(left) == _number(right)


def _number(value: Any) -> float:
    try:
        return float(value or 0)
    except ValueError:
        return float("nan")


def text_of(value: Any) -> str:
    if value is None:
        return ""
    return str(value).lower() if isinstance(value, bool) else str(value)


class Scope:
    """The values and functions that expressions of a job can use."""

    def __init__(self, context: dict[str, Any]) -> None:
        self.context = context
        self.failed = False

    def evaluate(self, text: str) -> Any:
        functions = {
            "always": lambda: True,
            "success": lambda: not self.failed,
            "failure": lambda: self.failed,
            "cancelled": lambda: False,
            "format": lambda form, *values: form.format(*map(text_of, values)),
            "startsWith": lambda whole, start: text_of(whole).casefold().startswith(start.casefold()),
        }
        return Expression(text, self.context, functions).value()

    def filled(self, text: Any) -> str:
        """Return a text of a workflow with the values of its expressions in place."""
        return re.sub(
            r"\$\{\{(.*?)\}\}", lambda match: text_of(self.evaluate(match[1])), text_of(text), flags=re.DOTALL
        )

    def runs(self, condition: str | None) -> bool:
        """Return True if a step or job with this condition runs."""
        bare = re.sub(r"^\s*\$\{\{(.*)\}\}\s*$", r"\1", condition or "success()", flags=re.DOTALL)
        if not _STATUS.search(bare) and self.failed:
            return False
        return truth(self.evaluate(bare))
