"""The section `waive`: patterns, dates, and every refusal with its whole message."""

from __future__ import annotations

import pytest

from compress_guard.errors import ThresholdsError
from compress_guard.records import Waiver
from tests.thresholds.conftest import HEAD, PHOTOS

SHORT = PHOTOS + "    codecs: [jpeg, avif]\n    bpp: [0.5, 1]\n"
CARS = SHORT.replace("guards:\n", "").replace("photos", "cars")


def waived(*waivers: str) -> str:
    return HEAD + SHORT + CARS + "waive:\n" + "".join(f"  - {{{each}}}\n" for each in waivers)


def test_each_guard_has_the_waivers_of_its_cells(read):
    one, two = read(
        waived("cells: 'photos[avif-*]', reason: 'a  known\tshift', until: 2026-12-31", "cells: '*[jpeg-?.0bpp]', "
               "reason: twice, until: '2027-01-31'")
    ).guards  # fmt: skip
    shift = Waiver("photos[avif-*]", "a known shift", "2026-12-31", 16)
    twice = Waiver("*[jpeg-?.0bpp]", "twice", "2027-01-31", 17)
    assert one.waivers == (shift, twice)
    assert two.waivers == (twice,)
    assert [one.waiver(cell.name) for cell in one.cells] == [None, twice, shift, shift]
    assert [two.waiver(cell.name) for cell in two.cells] == [None, twice, None, None]


@pytest.mark.parametrize("pattern", ["photos[[]avif-0.5bpp]", "photos[!x]*", "Photos[avif-*]", "photos"])
def test_brackets_stand_for_themselves_and_case_counts(read, pattern):
    with pytest.raises(ThresholdsError, match="fits no cell"):
        read(waived(f"cells: '{pattern}', reason: x, until: 2026-12-31"))


@pytest.mark.parametrize(("waivers", "message"), [
    (["cells: 'photos[webp-*]', reason: x, until: 2026-12-31"],
     "thresholds.yaml:16: waive: cells 'photos[webp-*]' fits no cell; correct or remove it; there are 8 cells, the "
     "first is photos[jpeg-0.5bpp]"),
    (["cells: '*[jpeg-*', reason: x, until: 2026-12-31", "cells: 'cars*', reason: x, until: 2026-12-31"],
     "thresholds.yaml:17: waive: cells 'cars*' fits cars[jpeg-0.5bpp], which the waiver in line 16 covers; let each "
     "cell have one waiver"),
    (["reason: x, until: 2026-12-31"],
     "thresholds.yaml:16: waive: cells is missing; write a pattern such as 'photos[jpeg-*]'"),
    (["cells: '*', until: 2026-12-31"], "thresholds.yaml:16: waive: reason is missing; write why these cells may fail"),
    (["cells: '*', reason: x"],
     "thresholds.yaml:16: waive: until is missing; write the last day of the waiver, such as 2026-12-31"),
    (["cells: '*', reason: ' ', until: 2026-12-31"],
     "thresholds.yaml:16: waive: reason is an empty text; write why these cells may fail"),
    (["cells: '*', reason: x, until: 2026-02-30"],
     "thresholds.yaml:16: waive: until must be a date, found '2026-02-30'; write the last day of the waiver, such as "
     "2026-12-31"),
    (["cells: '*', reason: x, until: 20261231"],
     "thresholds.yaml:16: waive: until must be text, found 20261231; write text, in quotes if need be"),
    (["cells: '*', reason: x, until: 2026-W53-1"],
     "thresholds.yaml:16: waive: until must be a date, found '2026-W53-1'; write the last day of the waiver, such as "
     "2026-12-31"),
    (["cell: '*', reason: x, until: 2026-12-31"],
     "thresholds.yaml:16: waive: unknown key 'cell', did you mean 'cells'? known: cells, reason, until; correct or "
     "remove it"),
])  # fmt: skip
def test_refusals(read, waivers, message):
    with pytest.raises(ThresholdsError) as caught:
        read(waived(*waivers))
    assert str(caught.value) == message


@pytest.mark.parametrize(("text", "message"), [
    ("waive: []\n", "thresholds.yaml:9: waive: waive is an empty list; give at least one"),
    ("waive:\n", "thresholds.yaml:9: waive: waive must be a list, found nothing; write a list in brackets"),
    ("waive: [x]\n",
     "thresholds.yaml:9: waive: expected a map of keys, found 'x'; write key: value lines below it"),
])  # fmt: skip
def test_a_section_that_is_no_list_of_waivers(read, text, message):
    with pytest.raises(ThresholdsError) as caught:
        read(HEAD + SHORT + text)
    assert str(caught.value) == message


def test_too_many_waivers_are_refused(read):
    with pytest.raises(ThresholdsError) as caught:
        read(waived(*(f"cells: 'no{number}', reason: x, until: 2026-12-31" for number in range(201))))
    assert str(caught.value) == (
        "thresholds.yaml:216: waive: there are 201 waivers, at most 200; join some into one pattern"
    )


def test_cells_of_other_kinds_can_be_waived(read):
    more = "    recovery: {train: 'm:g'}\n    throughput: {codecs: [jpeg]}\n"
    waive = "waive: [{cells: 'photos[recovery-jpeg-*]', reason: x, until: 2026-12-31}, "
    (guard,) = read(
        HEAD + SHORT + more + waive + "{cells: 'photos[throughput-*]', reason: x, until: 2026-12-31}]\n"
    ).guards
    assert guard.recovery is not None
    assert guard.throughput is not None
    assert [guard.waiver(cell.name) is not None for cell in guard.recovery.cells] == [True, True, False, False]
    assert all(guard.waiver(cell.name) is not None for cell in guard.throughput.cells)
    assert all(guard.waiver(cell.name) is None for cell in guard.cells)
