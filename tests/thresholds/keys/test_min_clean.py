"""The key `min_clean`: one number, of a guard or of the defaults."""

from __future__ import annotations

from compress_guard.thresholds.keys.correction import corrected


def floors(guard):
    return {cell.min_clean for cell in guard.cells}


def test_it_is_none_unless_the_file_says_so(guard):
    assert floors(guard()) == {None}


def test_it_holds_in_every_cell_of_the_guard(guard):
    found = guard("min_clean: 62.5")
    assert floors(found) == {62.5}
    assert all(cell.judged for cell in found.cells)


def test_zero_is_kept_and_is_no_limit(guard):
    found = guard("min_clean: 0")
    assert floors(found) == {0.0}
    assert not any(cell.judged for cell in found.cells)
    assert all(cell.judged for cell in guard("min_clean: 0", "max_drop: 3").cells)


def test_a_guard_replaces_that_of_the_defaults_or_takes_it_away(guard):
    assert floors(guard(before="defaults: {min_clean: 60}\n")) == {60.0}
    assert floors(guard("min_clean: 40", before="defaults: {min_clean: 60}\n")) == {40.0}
    assert floors(guard("min_clean: null", before="defaults: {min_clean: 60}\n")) == {None}


def test_cells_with_nothing_else_count_in_a_correction(guard):
    found = guard("min_clean: 40", "bpp: [0.5, 1.0]", "codecs: [jpeg]", "correction: bonferroni")
    assert corrected((found,))[0].confidence == 1 - (1 - found.confidence) / 2


def test_what_is_no_number_of_points_is_refused(guard_refusal):
    assert guard_refusal("min_clean: 101") == (
        "thresholds.yaml:7: photos: min_clean is 101, outside 0 to 100; use a number in that range"
    )
    assert guard_refusal("min_clean: {0.5: 60}") == (
        "thresholds.yaml:7: photos: min_clean must be a number, found a map; write a number from 0 to 100"
    )
    assert guard_refusal('min_clean: "60"') == (
        "thresholds.yaml:7: photos: min_clean must be a number, found '60'; write it without quotes"
    )
