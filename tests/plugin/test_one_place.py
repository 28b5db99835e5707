"""The gate's own options, and pytest's private state, are each read in one module of the plugin."""

from __future__ import annotations

from pathlib import Path

import pytest

import compress_guard.plugin

PLUGIN = Path(compress_guard.plugin.__file__).parent


@pytest.mark.parametrize(
    ("text", "module"),
    [
        ('getoption("--cg-', "options.py"),
        ('getoption("--compress-guard")', "options.py"),
        ("get_terminal_writer()", "output/terminal.py"),
        ('getoption("benchmark_', "benchmark_plugin.py"),
    ],
)
def test_one_module_reads_it(text, module):
    sources = {path.relative_to(PLUGIN).as_posix(): path.read_text(encoding="utf-8") for path in PLUGIN.rglob("*.py")}
    assert [name for name, source in sources.items() if text in source] == [module]


def test_nothing_reads_the_terminal_of_the_reporter():
    assert not [path for path in PLUGIN.rglob("*.py") if "._tw" in path.read_text(encoding="utf-8")]
