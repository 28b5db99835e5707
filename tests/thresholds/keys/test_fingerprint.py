"""The key `fingerprint` of a guard."""

from __future__ import annotations

import pytest

from compress_guard.errors import ThresholdsError
from compress_guard.records import Fingerprint
from compress_guard.thresholds import load

HEAD = 'version: 1\nguards:\n  photos:\n    task: classification\n    model: "m:f"\n    data: "d:f"\n'


def read(tmp_path, text):
    path = tmp_path / "thresholds.yaml"
    path.write_text(HEAD + text)
    (guard,) = load(path).guards
    return guard.fingerprint


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", None),
        ("    fingerprint: resnet-2026-11\n", Fingerprint("resnet-2026-11")),
        ("    fingerprint: 1.10\n", Fingerprint("1.10")),
        ("    fingerprint: {files: [a.safetensors, net.py]}\n", Fingerprint(files=("a.safetensors", "net.py"))),
    ],
)
def test_a_fingerprint_is_a_text_or_files(tmp_path, text, expected):
    assert read(tmp_path, text) == expected


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("fingerprint:", "fingerprint must be a text or a map with files, found nothing"),
        ("fingerprint: ' '", "fingerprint must be a text or a map with files, found ' '"),
        ("fingerprint: true", "fingerprint must be a text or a map with files, found true"),
        ("fingerprint: [a.pt]", "fingerprint must be a text or a map with files, found a list"),
        ("fingerprint: {}", "the fingerprint is an empty map"),
        ("fingerprint: {file: a.pt}", "unknown key 'file', did you mean 'files'? known: files"),
        ("fingerprint: {files: a.pt}", "files must be a list, found 'a.pt'"),
        ("fingerprint: {files: []}", "files is an empty list"),
        ("fingerprint: {files: [3]}", "a file of the fingerprint must be text, found 3"),
    ],
)
def test_what_is_none_is_refused(tmp_path, text, found):
    with pytest.raises(ThresholdsError) as problem:
        read(tmp_path, f"    {text}\n")
    assert str(problem.value).startswith(f"thresholds.yaml:7: photos: {found}; ")
