from __future__ import annotations

from compress_guard.report import ansi, plain
from compress_guard.report.markup import STYLES, trimmed

LINES = [(("photos", "bold"), (": ", ""), ("FAIL", "red bold")), (), (("why", ""),)]


def test_plain_is_the_text_alone():
    assert plain(LINES) == "photos: FAIL\n\nwhy\n"


def test_ansi_puts_each_style_round_its_text():
    assert ansi(LINES) == "\x1b[1mphotos\x1b[0m: \x1b[31m\x1b[1mFAIL\x1b[0m\n\nwhy\n"


def test_the_words_are_those_of_the_terminal_writer_of_pytest():
    from _pytest._io import TerminalWriter

    assert STYLES.items() <= TerminalWriter._esctable.items()


def test_trimmed_lines_end_with_text():
    assert trimmed([("a ", "red"), ("", ""), ("  ", ""), ("b  ", "bold"), ("  ", "")]) == (
        ("a ", "red"),
        ("  ", ""),
        ("b", "bold"),
    )
    assert trimmed([("  ", ""), ("", "")]) == ()
