"""Limits from a measurement in the text of a thresholds file: numbers change, everything else stays."""

from __future__ import annotations

from types import SimpleNamespace

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from compress_guard.errors import ThresholdsError
from compress_guard.registry import CODECS
from compress_guard.thresholds.limits.measured import limit_for
from compress_guard.thresholds.limits.rewriting import Source, rewritten

GUARD = "task: classification, model: 'm:f', data: 'd:f'"


@pytest.fixture(autouse=True)
def real_codecs(stand_ins, monkeypatch) -> None:
    """Take the codecs themselves in place of the stand-ins, since a pipeline builds its steps."""
    for name in ("jpeg", "avif", "command"):
        monkeypatch.delitem(CODECS._found, name)


def result(high, low=0.0):
    return SimpleNamespace(drop_low=low, drop_high=high)


@pytest.fixture
def source(tmp_path):
    def made(text: str) -> Source:
        return Source(text, tmp_path / "thresholds.yaml", "thresholds.yaml", tmp_path)

    return made


@pytest.fixture
def update(source):
    """The text after an update by these upper ends of intervals, by the labels of cells of the guard `photos`."""

    def text_of(text: str, loosen: bool = False, **highs: float | None) -> str:
        results = {f"photos[{label}]": result(high) for label, high in highs.items()}
        return rewritten(source(text), results, loosen=loosen).text

    return text_of


@pytest.mark.parametrize(("high", "limit"), [
    (3.0, 3.5), (3.01, 3.6), (0.04, 0.6), (-5.0, 0.5), (0.0, 0.5), (99.8, 100.0), (2.3, 2.8), (None, None),
    (float("nan"), None), (1.1, 1.6),
])  # fmt: skip
def test_the_limit_is_half_a_point_above_the_interval(high, limit):
    assert limit_for(result(high)) == limit


JPEG = "version: 1\ndefaults: {codecs: [jpeg], bpp: [0.25, 1]}\nguards:\n  photos:\n    task: classification\n"
JPEG += "    model: m:f   # ours\n    data: d:f\n"
RATES = "    bpp:\n      - 0.25\n      - 1\n"
FLOW = f"version: 1\nguards: {{photos: {{LIMIT, {GUARD}, codecs: [jpeg], bpp: [0.25, 1]}}}}\n"
LOW, HIGH = "jpeg-0.25bpp", "jpeg-1.0bpp"


@pytest.mark.parametrize(("limit", "becomes"), [
    ("max_drop: 20  # all", "max_drop: 8.5  # all"),
    ("max_drop: {0.25: 20.00, 1.0: 9}  # by rate", "max_drop: {0.25: 8.5, 1.0: 2.5}  # by rate"),
    ("max_drop: {0.1: 30, 0.25: 20, 1.0: 9, 2: 1}", "max_drop: {0.1: 30, 0.25: 8.5, 1.0: 2.5, 2: 1}"),
    ("max_drop: {0.1: 30, 2: 20}", "max_drop: {0.1: 8.5, 2: 8.5}"),
    ("max_drop: {0.25: 20, 2: 20}", "max_drop: {0.25: 8.5, 2: 2.5}"),
    ("max_drop: {jpeg: {0.25: 20, 1: 1}, webp: 3, default: 4}",
     "max_drop: {jpeg: {0.25: 8.5, 1: 1}, webp: 3, default: 4}"),
    ("max_drop: {webp: 3, default: {0.25: 20, 1: 20}}", "max_drop: {webp: 3, default: {0.25: 8.5, 1: 2.5}}"),
    ("max_drop:\n      # low\n      0.25: 2e+1   # twenty\n      1: 20",
     "max_drop:\n      # low\n      0.25: 8.5   # twenty\n      1: 2.5"),
    ("max_drop: {0.25: &low 20, 1: *low}", "max_drop: {0.25: &low 8.5, 1: *low}"),
    ("max_drop: !!float 20", "max_drop: !!float 8.5"),
    ("max_drop: {0.25: 5, 1: 1}", "max_drop: {0.25: 5, 1: 1}"),
])  # fmt: skip
def test_numbers_become_lower_and_all_else_stays(update, limit, becomes):
    before, after = f"{JPEG}    {limit}\n", f"{JPEG}    {becomes}\n"
    assert update(before, **{LOW: 8.0, HIGH: 2.0}) == after


@pytest.mark.parametrize(("limit", "becomes"), [
    ("max_drop: 5", "max_drop: 8.5"),
    ("max_drop: {0.25: 5, 1.0: 9}", "max_drop: {0.25: 8.5, 1.0: 2.5}"),
    ("max_drop: {0.1: 3, 2: 3}", "max_drop: {0.1: 8.5, 2: 8.5}"),
])  # fmt: skip
def test_they_become_higher_only_if_asked(update, limit, becomes):
    before = f"{JPEG}    {limit}\n"
    assert update(before, loosen=True, **{LOW: 8.0, HIGH: 2.0}) == f"{JPEG}    {becomes}\n"


def test_qualities_and_pipelines(update):
    text = (
        "version: 1\ncodecs: {upload: {type: pipeline, steps: [{jpeg: {quality: 80}}]}}\nguards:\n  photos: {GUARD, "
        "codecs: [jpeg, upload], quality: [75, 50], max_drop: {jpeg: {q75: 9, q50.0: 9}, upload: 7}}\n"
    ).replace("GUARD", GUARD)
    wanted = text.replace("q75: 9", "q75: 1.5").replace("q50.0: 9", "q50.0: 4.5").replace("upload: 7", "upload: 2.5")
    assert update(text, **{"jpeg-q75": 1.0, "jpeg-q50": 4.0, "upload": 2.0}) == wanted


def test_a_limit_of_the_task_is_that_of_all_its_guards(source):
    text = (
        "version: 1\nthresholds: {classification: {max_drop: 9}, detection: {max_drop: 9}}\n"
        "defaults: {codecs: [jpeg], quality: [75]}\nguards:\n  a: {GUARD}\n  b: {GUARD}\n"
    ).replace("GUARD", GUARD)
    made = rewritten(source(text), {"a[jpeg-q75]": result(3.0), "b[jpeg-q75]": result(5.0)}, loosen=False)
    assert made.text == text.replace("classification: {max_drop: 9}", "classification: {max_drop: 5.5}")


def test_a_limit_that_merge_keys_share(source):
    text = (
        "version: 1\ndefaults: {codecs: [jpeg], quality: [75]}\nguards:\n"
        "  a: &a {GUARD, max_drop: 9}\n  b: {<<: *a, metric: top5}\n"
    ).replace("GUARD", GUARD)
    made = rewritten(source(text), {"a[jpeg-q75]": result(3.0), "b[jpeg-q75]": result(1.0)}, loosen=False)
    assert made.text == text.replace("max_drop: 9", "max_drop: 3.5")


def test_line_ends_and_letters_stay(update):
    text = (JPEG + "    max_drop: 20  # Grüße 😀\n").replace("\n", "\r\n").replace("# ours", "# ä😀")
    assert update(text, **{LOW: 8.0, HIGH: 2.0}) == text.replace("20", "8.5")


@pytest.mark.parametrize(("text", "after"), [
    (f"{JPEG}\n# end\n", f"{JPEG}    max_drop: {{jpeg: {{0.25: 8.5, 1: 2.5}}}}\n\n# end\n"),
    (f"{JPEG}"[:-1], f"{JPEG}    max_drop: {{jpeg: {{0.25: 8.5, 1: 2.5}}}}\n"),
    (JPEG + RATES, JPEG.replace("    task", "    max_drop: {jpeg: {0.25: 8.5, 1: 2.5}}\n    task") + RATES),
    (FLOW.replace("LIMIT, ", ""), FLOW.replace("LIMIT", "max_drop: {jpeg: {0.25: 8.5, 1: 2.5}}")),
    (JPEG.replace("\n", "\r\n"), (JPEG + "    max_drop: {jpeg: {0.25: 8.5, 1: 2.5}}\n").replace("\n", "\r\n")),
])  # fmt: skip
def test_a_guard_without_limits_gets_them(update, text, after):
    assert update(text, **{LOW: 8.0, HIGH: 2.0}) == after


def test_a_point_without_a_drop_gets_the_largest_limit_of_its_codec(update):
    made = update(JPEG, **{LOW: None, HIGH: 2.0})
    assert "max_drop: {jpeg: {0.25: 2.5, 1: 2.5}}" in made


def test_a_limit_that_a_cell_without_a_drop_shares_stays(source):
    text = f"{JPEG}    max_drop: 20\n"
    made = rewritten(source(text), {f"photos[{LOW}]": result(None), f"photos[{HIGH}]": result(2.0)}, loosen=False)
    assert (made.text, made.diff, made.unmeasured) == (text, (), (f"photos[{LOW}]",))


@pytest.mark.parametrize("loosen", [False, True])
def test_the_limit_of_a_waived_cell_stays(source, loosen):
    waiver = f"waive: [{{cells: 'photos[{LOW}]', reason: known, until: 2999-01-01}}]\n"
    text = f"{JPEG}    max_drop: {{0.25: 5, 1: 9}}\n{waiver}"
    results = {f"photos[{LOW}]": result(40.0, 30.0), f"photos[{HIGH}]": result(2.0)}
    made = rewritten(source(text), results, loosen=loosen)
    assert (made.text, made.above, made.unmeasured) == (text.replace("1: 9", "1: 2.5"), (), (f"photos[{LOW}]",))


def test_cells_above_limits_that_stay_are_named(source):
    text = f"{JPEG}    max_drop: {{0.25: 5, 1: 5}}\n"
    results = {f"photos[{LOW}]": result(9.0, 6.0), f"photos[{HIGH}]": result(7.0, 4.0)}
    made = rewritten(source(text), results, loosen=False)
    assert (made.text, made.above, made.open) == (text, (f"photos[{LOW}]",), (f"photos[{HIGH}]",))
    made = rewritten(source(text), results, loosen=True)
    assert (made.above, made.open) == ((), ())


def test_the_change_is_a_diff(source):
    text = f"{JPEG}    max_drop: {{0.25: 9, 1: 5}}\n"
    made = rewritten(source(text), {f"photos[{LOW}]": result(8.0), f"photos[{HIGH}]": result(7.0)}, loosen=False)
    assert made.diff == (
        "--- thresholds.yaml",
        "+++ thresholds.yaml (updated)",
        "@@ -7,2 +7,2 @@",
        "     data: d:f",
        "-    max_drop: {0.25: 9, 1: 5}",
        "+    max_drop: {0.25: 8.5, 1: 5}",
    )


@pytest.mark.parametrize("text", [
    f"{JPEG}    max_drop: &x 20\n    min_score: *x\n",
    f"{JPEG}    max_drop: &x 20\n    slices: {{s: {{by: s, max_drop: *x}}}}\n",
    f"{JPEG}    max_drop: &x 20\n    decoders: [pillow, opencv]\n    max_decoder_drop: *x\n",
    f"{JPEG}    max_drop: &x 20\n    throughput: {{images: *x}}\n",
])  # fmt: skip
def test_numbers_that_other_keys_share_are_not_touched(update, text):
    with pytest.raises(ThresholdsError) as caught:
        update(text, **{LOW: 8.0, HIGH: 2.0})
    assert str(caught.value) == (
        "thresholds.yaml: its limits cannot be changed without other keys, which share them by an alias; write these "
        "numbers out, and run it again"
    )


def test_two_guards_that_are_one_text_get_no_limits_of_their_own(source):
    text = f"version: 1\ndefaults: {{codecs: [jpeg], quality: [75]}}\nguards:\n  a: &a {{{GUARD}}}\n  b: *a\n"
    made = rewritten(source(text), {"a[jpeg-q75]": result(3.0), "b[jpeg-q75]": result(5.0)}, loosen=False)
    limits = [cell.max_drop for guard in source(made.text).guards().guards for cell in guard.cells]
    assert limits == [5.5, 5.5]


LIMITS = st.floats(0, 100).map(lambda value: round(value, 2))


@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(given_limits=st.tuples(LIMITS, LIMITS, LIMITS), highs=st.tuples(*[st.floats(-50, 99)] * 3), loosen=st.booleans())
def test_afterwards_each_limit_is_enough_or_the_old_one(source, given_limits, highs, loosen):
    limits = "0.2: {}, 0.6: {}, 1: {}".format(*given_limits)
    text = f"version: 1\nguards: {{photos: {{{GUARD}, codecs: [jpeg], bpp: [0.2, 0.5, 1], max_drop: {{{limits}}}}}}}\n"
    before = source(text).guards().guards[0].cells
    results = {cell.name: result(high) for cell, high in zip(before, highs, strict=True)}
    made = rewritten(source(text), results, loosen=loosen)
    after = source(made.text).guards().guards[0].cells
    for old, new, high in zip(before, after, highs, strict=True):
        enough = new.max_drop >= high + 0.5 - 1e-6 or new.max_drop == 100
        assert new.max_drop <= old.max_drop + 1e-9 or loosen
        assert enough or new.max_drop <= old.max_drop + 1e-9
        assert enough or not loosen
        assert not loosen or (high + 0.5 > old.max_drop) or new.max_drop >= high + 0.5 - 1e-6
