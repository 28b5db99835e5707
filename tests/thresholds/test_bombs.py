"""Small files that stand for a lot, and files that no person wrote: one message with its place, at once."""

from __future__ import annotations

import itertools
import os
import re
import signal
import threading
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from compress_guard.codecs.command import Command
from compress_guard.errors import ThresholdsError
from compress_guard.registry import CODECS
from compress_guard.thresholds import load

HEAD = "version: 1\n"
GUARD = "guards:\n  a: {task: classification, model: 'm:f', data: 'd:f'}\n"
COMMAND = "{type: command, encoder: 'e {input} {output} {setting}', decoder: 'd {input} {output}', settings: %s}"
SECONDS = 20
"""Nothing here takes one; what hangs should fail and not hang the suite."""


@pytest.fixture(autouse=True)
def _in_time():
    if not hasattr(signal, "setitimer") or threading.current_thread() is not threading.main_thread():
        yield
        return

    def stop(number, frame):
        raise TimeoutError(f"still reading after {SECONDS} s")

    before = signal.signal(signal.SIGALRM, stop)
    signal.setitimer(signal.ITIMER_REAL, SECONDS)
    yield
    signal.setitimer(signal.ITIMER_REAL, 0)
    signal.signal(signal.SIGALRM, before)


@pytest.fixture
def refusal(tmp_path) -> Callable[[str | bytes], str]:
    """Loads a file of this content and gives the message of its refusal."""

    def refused(content: str | bytes) -> str:
        path = tmp_path / "thresholds.yaml"
        path.write_bytes(content.encode() if isinstance(content, str) else content)
        with pytest.raises(ThresholdsError) as caught:
            load(path)
        return str(caught.value)

    return refused


def doubling(line: str, count: int) -> str:
    """Maps or lists, each of which names the one before twice."""
    return "x0: &x0 {a: 1}\n" + "".join(line.format(at=at, before=at - 1) for at in range(1, count))


TOO_MUCH = "has more than 30000 values once its aliases are written out; use fewer aliases in one another"
BOMBS = {
    "merge keys": (doubling("x{at}: &x{at} {{<<: [*x{before}, *x{before}]}}\n", 25), f"15: a list {TOO_MUCH}"),
    "lists": (doubling("x{at}: &x{at} [*x{before}, *x{before}]\n", 25), f"15: a list {TOO_MUCH}"),
    "maps": (doubling("x{at}: &x{at} {{a: *x{before}, b: *x{before}}}\n", 25), f"15: a map {TOO_MUCH}"),
    "one merged often": (
        "x: &x {a: 1, b: 2}\ny: {<<: [" + ", ".join(["*x"] * 9000) + "]}\n",
        f"3: a list {TOO_MUCH}",
    ),
    "a chain of merge keys": (
        doubling("x{at}: &x{at} {{<<: *x{before}}}\n", 2000),
        "42: aliases nest lists or maps more than 40 deep; nest them less deeply",
    ),
    "a chain of lists": (
        doubling("x{at}: &x{at} [*x{before}]\n", 2000),
        "42: aliases nest lists or maps more than 40 deep; nest them less deeply",
    ),
    "a list in itself": ("a: &a [*a]\n", "2: an anchor contains itself; write the value out"),
    "a map merged into itself": ("a: &a {<<: *a}\n", "2: an anchor contains itself; write the value out"),
}


@pytest.mark.parametrize(("text", "message"), BOMBS.values(), ids=BOMBS)
def test_anchors_that_blow_up(refusal, text, message):
    assert len(text) < 100_000
    assert refusal(HEAD + text) == f"thresholds.yaml:{message}"


def test_a_bomb_of_half_a_kilobyte(refusal):
    """Read as guards, the last of them is merged from eight million maps."""
    names = "abcdefghijklmnopqrstuvwx"
    bomb = "guards:\n a: &a {task: classification, model: 'm:f', data: 'd:f'}\n" + "".join(
        f" {name}: &{name} {{<<: [*{before}, *{before}]}}\n" for before, name in itertools.pairwise(names)
    )
    assert len(bomb) < 600
    assert refusal(HEAD + bomb) == f"thresholds.yaml:15: a list {TOO_MUCH}"


DEEP = "lists or maps are nested more than 40 deep; nest them less deeply"
NESTED = {
    "brackets": ("a: " + "[" * 100_000, f"2: {DEEP}"),
    "braces": ("a: " + "{" * 100_000, f"2: {DEEP}"),
    "maps in a line": ("a: " + "{a: " * 10_000, f"2: {DEEP}"),
    "dashes": ("a:\n  " + "- " * 50_000, f"3: {DEEP}"),
    "question marks": ("a:\n  " + "? " * 50_000, f"3: {DEEP}"),
    "indented maps": ("".join(" " * at + "a:\n" for at in range(400)), f"42: {DEEP}"),
}


@pytest.mark.parametrize(("text", "message"), NESTED.values(), ids=NESTED)
def test_nesting(refusal, text, message):
    assert refusal(HEAD + text) == f"thresholds.yaml:{message}"


def test_nesting_at_the_bound(refusal):
    text = "guards: {a: " + "[" * 38 + "]" * 38 + "}\n"
    assert refusal(HEAD + text).startswith("thresholds.yaml:2: a: expected a map of keys, found a list")
    text = "guards: {a: " + "[" * 39 + "]" * 39 + "}\n"
    assert refusal(HEAD + text) == f"thresholds.yaml:2: {DEEP}"


def many(count: int) -> str:
    return ", ".join(f"0.{100_000 + number}" for number in range(count))


LONG = {
    "a list of values": (
        f"defaults: {{bpp: [{many(12_000)}]}}\n",
        "2: the file has more than 10000 values; remove some",
    ),
    "a map of values": (
        "a:\n" + "".join(f"  k{number}: 1\n" for number in range(12_000)),
        "5000: the file has more than 10000 values; remove some",
    ),
    "a value": (
        f"defaults: {{rate: {'x' * 10_001}}}\n",
        "2: a value has 10001 characters, at most 10000 are taken; shorten it",
    ),
    "a number": (
        f"defaults: {{limit: {'9' * 90_000}}}\n",
        "2: a value has 90000 characters, at most 10000 are taken; shorten it",
    ),
    "a key": (f"guards: {{{'k' * 201}: 1}}\n", "2: a key has 201 characters, at most 200 are taken; shorten it"),
}


@pytest.mark.parametrize(("text", "message"), LONG.values(), ids=LONG)
def test_lengths(refusal, text, message):
    assert refusal(HEAD + text) == f"thresholds.yaml:{message}"


def test_what_a_message_shows_of_a_long_value_is_short(refusal):
    message = refusal(HEAD + f"defaults: {{limit: {'9' * 10_000}}}\n" + GUARD)
    assert message.startswith("thresholds.yaml:2: defaults: limit must be a whole number above 0 or null, found 999")
    assert message.endswith("; write a number of images, or null for all of them")
    assert " ... " in message
    assert len(message) < 800
    assert len(refusal(HEAD + "a: *" + "x" * 200_000)) < 800


def test_numbers_of_images_beyond_every_data_set(tmp_path, refusal):
    text = HEAD + "defaults: {limit: %s}\n" + GUARD
    path = tmp_path / "thresholds.yaml"
    path.write_text(text % ("9" * 19))
    assert load(path).guards[0].cells[0].limit == 10**19 - 1
    for number in ("1" + "0" * 300, "1e400", ".inf"):
        assert refusal(text % number) == (
            f"thresholds.yaml:2: defaults: limit must be a whole number above 0 or null, found {number}; "
            "write a number of images, or null for all of them"
        )


# Lists that multiply


CELLS = "has more than 50000 cells and limits of slices; list fewer codecs, rates or slices"


def test_rates_times_guards(refusal):
    guards = "guards:\n  a0: &a {task: classification, model: 'm:f', data: 'd:f'}\n" + "".join(
        f"  a{number}: *a\n" for number in range(1, 1000)
    )
    text = HEAD + f"defaults: {{bpp: [{many(5000)}], codecs: [jpeg]}}\n" + guards
    assert refusal(text) == f"thresholds.yaml:14: guards: the file, up to guard a10, {CELLS}"


def test_rates_times_codecs(refusal):
    codecs = "codecs:\n  c0: &c {type: jpeg}\n" + "".join(f"  c{number}: *c\n" for number in range(1, 500))
    listed = ", ".join(f"c{number}" for number in range(500))
    text = HEAD + codecs + f"defaults: {{bpp: [{many(500)}], codecs: [{listed}]}}\n" + GUARD
    assert refusal(text) == f"thresholds.yaml:505: a: the guard {CELLS}"


@pytest.mark.parametrize("key", ["throughput", "recovery"])
def test_rates_times_codecs_of_other_cells(refusal, key):
    codecs = "codecs:\n  c0: &c {type: jpeg}\n" + "".join(f"  c{number}: *c\n" for number in range(1, 500))
    listed = ", ".join(f"c{number}" for number in range(500))
    more = ", train: 'd:t'" if key == "recovery" else ""
    own = f"{key}: {{codecs: [{listed}], bpp: [{many(500)}]{more}}}"
    text = HEAD + codecs + f"guards:\n  a: {{task: classification, model: 'm:f', data: 'd:f', {own}}}\n"
    assert refusal(text) == f"thresholds.yaml:504: a: {key}: it {CELLS}"


def test_rates_times_slices(refusal):
    limits = ", ".join(f"c{number}: 3" for number in range(500))
    text = HEAD + f"defaults: {{bpp: [{many(500)}], codecs: [jpeg]}}\n"
    text += "guards:\n  a: {task: classification, model: 'm:f', data: 'd:f', max_drop: 3, "
    text += f"slices: {{s: {{by: 'm:s', max_drop: {{{limits}}}}}}}}}\n"
    assert refusal(text) == f"thresholds.yaml:4: a: the guard {CELLS}"


EXPECTED = "settings must be a list of different numbers or a range such as '1..100' or '25..0.5..0.5', found"
OWN = "thresholds.yaml:2: codec c: %s; correct the option or leave it out"
LADDERS = {
    "long": ("1..1000000000", "settings may be at most 10000, found 1000000000 in '1..1000000000'"),
    "fine": ("'0..1..0.00001'", "settings may be at most 10000, found 100001 in '0..1..0.00001'"),
    "of many digits": (f"1..{'9' * 6000}", f"{EXPECTED} '1..{'9' * 96} ..."),
    "of many decimals": (f"'0..1..0.{'0' * 6000}1'", f"{EXPECTED} '0..1..0.{'0' * 91} ..."),
    "finer than numbers are": (
        "1..1.00000000000000000003..0.00000000000000000001",
        f"{EXPECTED} numbers in '1..1.00000000000000000003..0.00000000000000000001' that differ too little to tell "
        "them apart",
    ),
    "with a huge number": (f"[{'9' * 400}, 1]", f"{EXPECTED} inf in the list"),
    "with a long list": (
        f"[{', '.join(['1'] * 3000)}]",
        f"{EXPECTED} a number twice in [{', '.join(['1.0'] * 20)}, '...']",
    ),
}


@pytest.mark.parametrize(("settings_", "message"), LADDERS.values(), ids=LADDERS)
def test_ladders_of_commands(refusal, settings_, message, monkeypatch):
    monkeypatch.setitem(CODECS._found, "command", Command)  # in place of the stand-in
    assert refusal(HEAD + f"codecs: {{c: {COMMAND % settings_}}}\n" + GUARD) == OWN % message


# Bytes


BYTES = {
    "NUL": (b"version: 1\na: \0\n", ":2: the character U+0000 is not allowed in YAML; remove it"),
    "NUL by escape": (b'version: 1\na: "\\0"\n', ":2: a value holds the character U+0000; remove it"),
    "a control character in a key": (b'version: 1\n"\\x1b[1m": 1\n', ":2: a key holds the character U+001B; remove it"),
    "half a surrogate pair": (b'version: 1\na: "\\ud83d"\n', ":2: a value holds the character U+D83D; remove it"),
    "beyond Unicode": (
        b'version: 1\na: "\\U00110000"\n',
        ":2: not valid YAML: chr() arg not in range(0x110000); correct the syntax",
    ),
    "Latin-1": ("version: 1\n# Größe\n".encode("latin-1"), ":2: byte 0xF6 is not UTF-8; save the file as UTF-8"),
    "UTF-16": (
        "version: 1\n".encode("utf-16"),
        f":1: byte 0x{'version'.encode('utf-16')[0]:02X} is not UTF-8; save the file as UTF-8",
    ),
    "UTF-16 without a mark": (
        "version: 1\n".encode("utf-16-le"),
        ":1: the character U+0000 is not allowed in YAML; remove it",
    ),
    "UTF-32": ("version: 1\n".encode("utf-32-be"), ":1: the character U+0000 is not allowed in YAML; remove it"),
    "two documents": (
        b"version: 1\n---\nversion: 1\n",
        ":2: not valid YAML: expected a single document in the stream, but found another document; correct the syntax",
    ),
    "a false truth": (
        b"version: 1\ndefaults: {decoder_swap: !!bool banana}\n",
        ":2: the tag !!bool does not belong here; remove the tag",
    ),
    "a false nothing": (
        b"version: 1\ndefaults: {limit: !!null banana}\n",
        ":2: the tag !!null does not belong here; remove the tag",
    ),
}


@pytest.mark.parametrize(("data", "message"), BYTES.values(), ids=BYTES)
def test_bytes(refusal, data, message):
    assert refusal(data) == f"thresholds.yaml{message}"


def test_what_pyyaml_passes_on(refusal):
    assert refusal('a: "\\UFFFFFFFF"\n').startswith("thresholds.yaml:1: not valid YAML: ")
    assert refusal(f"%YAML {'9' * 5000}.1\n---\na: 1\n").startswith("thresholds.yaml:1: not valid YAML: ")


def test_a_byte_order_mark_is_fine(tmp_path):
    path = tmp_path / "thresholds.yaml"
    path.write_bytes(b"\xef\xbb\xbf" + (HEAD + GUARD).encode())
    assert len(load(path).guards) == 1


# Files


def test_a_file_of_a_hundred_megabytes(tmp_path):
    path = tmp_path / "thresholds.yaml"
    with path.open("wb") as file:
        file.truncate(100_000_000)
    with pytest.raises(ThresholdsError) as caught:
        load(path)
    assert str(caught.value) == (
        "thresholds.yaml: the file has 100000000 bytes, more than the 262144 allowed; "
        "name a thresholds file, or write what repeats once with an anchor"
    )


def test_a_large_file_of_comments_is_fine(tmp_path):
    path = tmp_path / "thresholds.yaml"
    path.write_text("# a reason\n" * 20_000 + HEAD + GUARD)
    assert len(load(path).guards) == 1


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="pipes of POSIX")
def test_what_is_no_file_is_not_read(tmp_path):
    pipe = tmp_path / "thresholds.yaml"
    os.mkfifo(pipe)
    for path in (pipe, Path("/dev/zero")):
        with pytest.raises(ThresholdsError) as caught:
            load(path)
        assert str(caught.value) == f"{path.name}: this is not a regular file; name a thresholds file"


def test_a_link_to_a_file_is_fine(tmp_path):
    (tmp_path / "real.yaml").write_text(HEAD + GUARD)
    (tmp_path / "thresholds.yaml").symlink_to(tmp_path / "real.yaml")
    assert len(load(tmp_path / "thresholds.yaml").guards) == 1


def test_anchors_as_people_use_them_are_fine(tmp_path):
    text = (
        HEAD + "guards:\n  g0: &base {task: classification, model: 'm:f', data: 'd:f', bpp: &bpp [0.5, 1], limit: 9}\n"
    )
    text += "".join(f"  g{at}: {{<<: *base, bpp: *bpp, model: 'm:f{at}'}}\n" for at in range(1, 100))
    path = tmp_path / "thresholds.yaml"
    path.write_text(text)
    assert [len(guard.cells) for guard in load(path).guards] == [6] * 100


# Whatever comes


NAMES = st.sampled_from("abc")
NODES = st.recursive(
    st.sampled_from(["1", "x", "*a", "*b", "*c", '"\\u0000"', "~", "<<", "!!int x", "!x y", "0.5", "1..9", "''"]),
    lambda inner: (
        st.lists(inner, max_size=3).map(lambda parts: f"[{', '.join(parts)}]")
        | st.lists(st.tuples(st.sampled_from(["<<", "a", "b", "1", "guards", "bpp"]), inner), max_size=3).map(
            lambda pairs: "{" + ", ".join(f"{key}: {value}" for key, value in pairs) + "}"
        )
        | st.tuples(NAMES, inner).map(lambda pair: pair[1] if pair[1][0] in "*&" else f"&{pair[0]} {pair[1]}")
    ),
    max_leaves=12,
)
KEYS = st.sampled_from(["version", "guards", "defaults", "codecs", "thresholds", "<<", "x"])
never_mind_the_folder = settings(max_examples=150, deadline=None, suppress_health_check=list(HealthCheck))


def check(folder: Path, data: bytes) -> None:
    path = folder / "thresholds.yaml"
    path.write_bytes(data)
    try:
        load(path)
    except ThresholdsError as error:
        assert re.match(r"thresholds\.yaml(:\d+)?(: |$)", error.where + ": ")  # noqa: PT017 - either outcome is fine
        assert len(str(error)) < 1600  # noqa: PT017


@never_mind_the_folder
@given(st.lists(st.tuples(KEYS, NODES), max_size=5))
@example([("x", "&a [1]"), ("guards", "{a: &b {<<: *a}, b: {<<: [*b, *b]}}")])
def test_anchors_and_aliases_of_every_kind(tmp_path, pairs):
    check(tmp_path, "".join(f"{key}: {value}\n" for key, value in pairs).encode())


@never_mind_the_folder
@given(st.text(alphabet=st.sampled_from("[]{}:,-?&*!|>'\"%@`#<~ab01.\n\t \\\ufeff\u2028"), max_size=60))
@example("%YAML 1.9\n--- !!map {? a : b}")
@example("a: !<tag:yaml.org,2002:int> 1")
def test_punctuation(tmp_path, text):
    check(tmp_path, text.encode())


@never_mind_the_folder
@given(st.binary(max_size=40))
def test_bytes_of_every_kind(tmp_path, data):
    check(tmp_path, data)
