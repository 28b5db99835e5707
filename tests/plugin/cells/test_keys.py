"""Each key of a thresholds file, seen through one run of many guards."""

from __future__ import annotations

import math
import re

import pytest

# Whoever distributes these tests: they look at one run.
pytestmark = pytest.mark.xdist_group("plugin-keys")

HEAD = """
thresholds:
  classification: {max_drop: {jpeg: {0.5: 90, 2.0: 60}, jpeg444: 77}}
codecs:
  jpeg444: {type: jpeg, subsampling: "4:4:4"}
  gone:
    type: command
    encoder: no-such-coder {setting} {input} {output}
    decoder: no-such-coder {input} {output}
    settings: 1..10
    install: pip install no-such-coder
"""

# At 0.5 bpp JPEG costs the toy model about 25 points, on 32 images within some 12 to 42; at 2 bpp it costs nothing.
GUARDS = {
    "by_task": "bpp: [0.5, 1.0, 2.0], codecs: [jpeg, jpeg444, webp]",
    "by_guard": "max_drop: 1",
    "by_codec": "max_drop: {jpeg: 1, default: {0.25: 99, 1.0: 95}}, codecs: [jpeg, webp], limit: 8",
    "floor_held": "min_score: 20",
    "floor_missed": "max_drop: 100, min_score: {0.5: 99}",
    "limited": "max_drop: 100, limit: {jpeg: 6, default: 5}, codecs: [jpeg, webp]",
    "doubt_pass": "max_drop: 25",
    "doubt_fail": "max_drop: 25, on_inconclusive: fail",
    "doubt_point_fails": "max_drop: 20, on_inconclusive: point",
    "doubt_point_passes": "max_drop: 32, on_inconclusive: point",
    "floor_skips": "max_drop: 100, bpp: [0.05, 0.5], limit: 8",
    "floor_fails": "max_drop: 100, bpp: [0.05, 0.5], limit: 8, on_unreachable: fail",
    "missing_fails": "max_drop: 100, codecs: [jpeg, gone], limit: 8",
    "missing_skips": "max_drop: 100, codecs: [jpeg, gone], limit: 8, on_unavailable: skip",
    "image_mode": "max_drop: 100, rate: image, limit: 8",
    "sure": "max_drop: 100, confidence: 0.99",
    "unsure": "max_drop: 100, confidence: 0.8",
    "rates": "max_drop: 100, codecs: [jpeg, webp], bpp: {webp: [1], default: [0.5, 2.00]}, limit: 4",
    "top5": "max_drop: 100, metric: top5, limit: 4",
}  # fmt: skip


@pytest.fixture(scope="module")
def run(new_project):
    project = new_project()
    project.guards(GUARDS, head=HEAD)
    return project.run("-v", "-rs")


@pytest.fixture
def cells(run):
    return run.cells


def ended(cell):
    return cell["verdict"], cell["outcome"], cell["settled_by"]


def test_max_drop_of_the_task_is_interpolated_in_log_bpp_and_may_leave_codecs_out(cells):
    limits = {name: cell["max_drop"] for name, cell in cells.items() if cell["guard"] == "by_task"}
    assert limits["by_task[jpeg-0.5bpp]"] == 90
    assert math.isclose(limits["by_task[jpeg-1.0bpp]"], 75)
    assert limits["by_task[jpeg-2.0bpp]"] == 60
    assert {limits[f"by_task[jpeg444-{rate}bpp]"] for rate in ("0.5", "1.0", "2.0")} == {77}
    assert {limits[f"by_task[webp-{rate}bpp]"] for rate in ("0.5", "1.0", "2.0")} == {None}
    assert ended(cells["by_task[webp-0.5bpp]"]) == ("unjudged", "skipped", "policy")
    assert cells["by_task[webp-0.5bpp]"]["drop"] is not None
    assert cells["by_task[webp-0.5bpp]"]["reason"].endswith("; skipped: measured without a limit")


def test_an_alias_is_its_codec_with_options(cells):
    plain, alias = cells["by_task[jpeg-2.0bpp]"], cells["by_task[jpeg444-2.0bpp]"]
    assert plain["codec_version"] == alias["codec_version"]
    # 4:4:4 spends bits on colour that these grey images do not have, so that luma gets a lower quality.
    assert alias["settings"] != plain["settings"]


def test_max_drop_of_the_guard(cells):
    cell = cells["by_guard[jpeg-0.5bpp]"]
    assert (cell["max_drop"], *ended(cell)) == (1, "fail", "failed", "interval")
    assert cell["drop_low"] > 1


def test_max_drop_per_codec(cells):
    assert cells["by_codec[jpeg-0.5bpp]"]["max_drop"] == 1
    assert math.isclose(cells["by_codec[webp-0.5bpp]"]["max_drop"], 97)


def test_min_score(cells):
    held, missed = cells["floor_held[jpeg-0.5bpp]"], cells["floor_missed[jpeg-0.5bpp]"]
    assert (held["min_score"], *ended(held)) == (20, "pass", "passed", "interval")
    assert (missed["min_score"], *ended(missed)) == (99, "fail", "failed", "interval")
    assert held["score_low"] <= held["score"] <= held["score_high"]
    assert missed["score_high"] < 99


def test_limit_per_codec(cells):
    assert (cells["limited[jpeg-0.5bpp]"]["images"], cells["limited[webp-0.5bpp]"]["images"]) == (6, 5)


@pytest.mark.parametrize(
    ("guard", "outcome", "settled_by"),
    [
        ("doubt_pass", "passed", "policy"),
        ("doubt_fail", "failed", "policy"),
        ("doubt_point_fails", "failed", "point"),
        ("doubt_point_passes", "passed", "point"),
    ],
)
def test_on_inconclusive(cells, guard, outcome, settled_by):
    cell = cells[f"{guard}[jpeg-0.5bpp]"]
    assert ended(cell) == ("inconclusive", outcome, settled_by)
    choice = {"doubt_pass": "pass", "doubt_fail": "fail"}.get(guard, "point")
    assert cell["reason"].endswith(f"; inconclusive, {outcome} by on_inconclusive: {choice}")


def test_inconclusive_cells_that_pass_have_a_word_of_their_own(run):
    doubtful = sum(cell["verdict"] == "inconclusive" and cell["outcome"] == "passed" for cell in run.cells.values())
    assert run.outcomes["inconclusive"] == doubtful >= 2
    assert "thresholds.yaml::doubt_pass[jpeg-0.5bpp] INCONCLUSIVE" in run.out
    by_policy = sum(cell["settled_by"] == "policy" for cell in run.cells.values() if cell["verdict"] == "inconclusive")
    by_policy -= 1  # doubt_fail
    # Each guard counts its own.
    assert sum(map(int, re.findall(r"(\d+) passed by on_inconclusive: pass", run.out))) == by_policy
    assert "1 failed by on_inconclusive: fail" in run.out


def test_inconclusive_is_shown_grey(project):
    project.guards({"doubt": GUARDS["doubt_pass"]})
    run = project.run("-v", "--color=yes")
    assert "\x1b[2mINCONCLUSIVE\x1b[0m" in run.out


@pytest.mark.parametrize(("guard", "outcome"), [("floor_skips", "skipped"), ("floor_fails", "failed")])
def test_on_unreachable(cells, guard, outcome):
    cell = cells[f"{guard}[jpeg-0.05bpp]"]
    assert ended(cell) == ("unreachable", outcome, "policy")
    assert cell["floor_bpp"] > 0.05
    assert cell["reason"] == (
        f"jpeg cannot reach 0.05 bpp on these images: the mean goes down to {cell['floor_bpp']:.3f} bpp; ask for a "
        "rate above that, larger images or another codec; "
        f"{outcome} by on_unreachable: {'skip' if outcome == 'skipped' else 'fail'}"
    )
    assert cells[f"{guard}[jpeg-0.5bpp]"]["outcome"] == "passed"


@pytest.mark.parametrize(("guard", "outcome"), [("missing_skips", "skipped"), ("missing_fails", "failed")])
def test_on_unavailable(cells, guard, outcome):
    cell = cells[f"{guard}[gone-0.5bpp]"]
    assert ended(cell) == ("unavailable", outcome, "policy")
    assert cell["reason"] == (
        "no-such-coder is not on the PATH; pip install no-such-coder; "
        f"{outcome} by on_unavailable: {'skip' if outcome == 'skipped' else 'fail'}"
    )


def test_rate_holds_the_mean_or_every_image(cells):
    mean, each = cells["by_guard[jpeg-0.5bpp]"], cells["image_mode[jpeg-0.5bpp]"]
    assert mean["rate"] == "dataset"
    assert mean["bpp_mean"] == pytest.approx(0.5, rel=0.02)
    assert len(mean["settings"]) <= 2
    assert each["rate"] == "image"
    assert each["bpp_mean"] == pytest.approx(0.5, rel=0.05)


def test_rate_tolerance_saves_encodes(project):
    # Few images, of which one setting's mean is off by more than 2 %, and a store of its own for each run.
    found = []
    for tolerance in (0.02, 0.3):
        project.guard(f"max_drop: 100, rate_tolerance: {tolerance}, codecs: [webp], bpp: [1], limit: 4")
        found.append(project.run("--cg-no-cache").cell)
        assert found[-1]["bpp_mean"] == pytest.approx(1, rel=tolerance)
    tight, loose = found
    assert (len(tight["settings"]), len(loose["settings"])) == (2, 1)
    assert loose["encodes"] < tight["encodes"]


def test_confidence_widens_the_interval(cells):
    widths = [
        cells[f"{guard}[jpeg-0.5bpp]"]["drop_high"] - cells[f"{guard}[jpeg-0.5bpp]"]["drop_low"]
        for guard in ("unsure", "doubt_pass", "sure")
    ]
    assert widths == sorted(set(widths))
    assert [cells[f"{guard}[jpeg-0.5bpp]"]["confidence"] for guard in ("unsure", "doubt_pass", "sure")] == [
        0.8,
        0.95,
        0.99,
    ]


def test_rates_per_codec(cells):
    assert [name for name in cells if name.startswith("rates[")] == [
        "rates[jpeg-0.5bpp]",
        "rates[jpeg-2.0bpp]",
        "rates[webp-1.0bpp]",
    ]


def test_metric(cells):
    # Four classes: the label is always among the best five.
    cell = cells["top5[jpeg-0.5bpp]"]
    assert (cell["metric"], cell["clean_score"], cell["score"]) == ("top5", 100, 100)
    assert cells["by_guard[jpeg-0.5bpp]"]["metric"] == "top1"


def test_outcomes_are_those_of_pytest(run):
    wanted = [cell["outcome"] for cell in run.cells.values()]
    assert run.code == 1
    assert run.outcomes["failed"] == wanted.count("failed")
    assert run.outcomes["skipped"] == wanted.count("skipped")
    assert run.outcomes["passed"] + run.outcomes["inconclusive"] == wanted.count("passed")


def test_the_clean_images_are_predicted_once_for_all_guards(cells):
    # Compressed, and the first clean batch again at the end of each guard.
    first = [cell for cell in cells.values() if cell["predictions"] > 32 + 8]
    assert [cell["predictions"] for cell in first] == [64 + 24 + 24]


def test_skipped_cells_point_into_the_file(run):
    line = 6 + list(GUARDS).index("floor_skips") + HEAD.count("\n") - 2
    (shown,) = (
        text for text in run.out.splitlines() if text.startswith("SKIPPED [1] thresholds.yaml:") and "0.05" in text
    )
    assert shown.startswith(f"SKIPPED [1] thresholds.yaml:{line}: jpeg cannot reach 0.05 bpp")


BROKEN = """
    from toy import Spectrum, data as whole, model

    def data():
        samples = whole()
        samples[3] = ("no image", 3, "broken.png")
        return samples
"""


def test_max_error_share(project):
    project.write("broken.py", BROKEN)
    project.guards(
        {
            "strict": 'data: "broken:data", max_drop: 100',
            "enough": 'data: "broken:data", max_drop: 100, max_error_share: 0.05',
            "beyond": 'data: "broken:data", max_drop: 100, max_error_share: 0.02',
        }
    )
    run = project.run()
    counted = run.cells["enough[jpeg-0.5bpp]"]
    assert (counted["verdict"], counted["images"], counted["images_used"], counted["errors"]) == ("pass", 32, 31, 1)
    assert counted["error_ids"] == ["broken.png"]
    assert "enough: 1 of 32 images failed to load or code and were left out of 1 cell: broken.png" in run.out
    for name, share in (("strict", "0"), ("beyond", "0.02")):
        cell = run.cells[f"{name}[jpeg-0.5bpp]"]
        assert ended(cell) == ("error", "failed", "policy")
        assert cell["score"] is None
        assert cell["reason"].startswith(
            f"1 of 32 images failed, allowed by max_error_share {share}: 0; the first: sample 3 (id broken.png)"
        )
    assert run.code == 1
