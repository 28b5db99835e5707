"""The drop over the traffic of `compress-guard run`: against a plain loop over the evidence that the run leaves."""

from __future__ import annotations

import json
import zipfile
from pathlib import Path

import pytest

from compress_guard.records import Evidence

SHARES = {"jpeg-0.5bpp": 0.4, "jpeg-2.0bpp": 0.3, "webp-0.5bpp": 0.2}
KEYS = "max_drop: 100, traffic: {jpeg: {0.5: 0.4, 2: 0.3}, webp: 0.2}"
DEFAULTS = "codecs: [jpeg, webp], bpp: {jpeg: [0.5, 2], webp: [0.5]}, limit: 24"


@pytest.fixture
def gated(command, guards, folder):
    """Runs a guard with these keys; its output and its results."""
    (folder / "slicing.py").write_text("def half(target, image_id):\n    return image_id[:-1]\n")

    def run(*arguments: str, keys: str = KEYS, defaults: str = DEFAULTS, before: str = ""):
        guards(defaults, toy=keys)
        file = Path("thresholds.yaml")
        file.write_text(file.read_text() + before)
        done = command("run", "--json=r.json", "--device=cpu", *arguments)
        return done, json.loads(Path("r.json").read_text())

    return run


def evidence(cell: str, side: str) -> Evidence:
    with zipfile.ZipFile("r.evidence.zip") as archive:
        (name,) = [name for name in archive.namelist() if f"[{cell}].{side}" in name]
        return Evidence.from_bytes(archive.read(name))


def test_the_drop_is_the_weighted_mean_of_each_image(gated):
    done, document = gated()
    assert done.code == 0
    (traffic,) = document["traffic"]
    clean = evidence("jpeg-0.5bpp", "clean")
    total = 0.0
    for at, image in enumerate(clean.ids):
        for cell, share in SHARES.items():
            side = evidence(cell, "compressed")
            assert side.ids[at] == image
            total += share / 0.9 * (float(hit(clean.items[at])) - float(hit(side.items[at])))
    assert traffic["drop"] == pytest.approx(100 * total / len(clean.ids))
    cells = {cell["id"].partition("[")[2][:-1]: cell for cell in document["cells"]}
    assert traffic["drop"] == pytest.approx(sum(cells[name]["drop"] * share / 0.9 for name, share in SHARES.items()))
    assert {name: cell["traffic"] for name, cell in cells.items()} == SHARES
    assert traffic["drop_low"] <= traffic["drop"] <= traffic["drop_high"]
    assert (traffic["guard"], traffic["metric"], traffic["cells"], traffic["images"]) == ("toy", "top1", 3, 24)
    assert (traffic["missing"], traffic["reason"], traffic["confidence"]) == ([], None, 0.95)
    assert traffic["covered"] == pytest.approx(0.9)
    spread = f"{traffic['drop_low']:.1f} to {traffic['drop_high']:.1f}"
    line = f"  traffic: drop {traffic['drop']:.1f} ({spread}) on average over 90 % of it, 24 images"
    assert traffic_lines(done.out) == [f"{line}; 10 % of the traffic is not covered"]
    assert "drop in points (share of traffic)" in done.out
    assert f"{cells['jpeg-0.5bpp']['drop']:.1f} (40 %) " in done.out


def hit(item) -> bool:
    return bool(item["top1"])


def test_without_a_results_file_the_line_is_the_same(gated, command):
    done, _ = gated()
    assert traffic_lines(command("run", "--device=cpu").out) == traffic_lines(done.out)


def traffic_lines(out: str) -> list[str]:
    return [line for line in out.splitlines() if line.startswith("  traffic")]


def test_a_cell_that_was_not_measured_leaves_no_mean(gated):
    done, document = gated("--only=toy[jpeg-*")
    assert done.code == 0
    (traffic,) = document["traffic"]
    assert [traffic[name] for name in ("drop", "drop_low", "drop_high", "images", "clean_score")] == [None] * 5
    assert traffic["missing"] == ["thresholds.yaml::toy[webp-0.5bpp]"]
    assert traffic["reason"] == "toy[webp-0.5bpp] was not measured"
    assert traffic_lines(done.out) == [
        "  traffic: no drop over the traffic: toy[webp-0.5bpp] was not measured; 10 % of the traffic is not covered"
    ]


def test_cells_that_cannot_be_reached_leave_no_mean(gated):
    done, document = gated(
        keys="max_drop: 100, traffic: {jpeg: {0.02: 0.5, 2: 0.5}}",
        defaults="codecs: [jpeg], bpp: [0.02, 2], limit: 8",
    )
    (traffic,) = document["traffic"]
    assert traffic["reason"] == "toy[jpeg-0.02bpp] has no drop: unreachable"
    assert (traffic["drop"], traffic["missing"]) == (None, ["thresholds.yaml::toy[jpeg-0.02bpp]"])
    assert traffic_lines(done.out) == [
        "  traffic: no drop over the traffic: toy[jpeg-0.02bpp] has no drop: unreachable"
    ]


def test_cells_that_stopped_early_leave_no_mean(command, guards, folder):
    (folder / "many.py").write_text(
        "import toy\n\ndef data():\n    return [(*toy.texture(at), f'{at:03}') for at in range(200)]\n"
    )
    guards("codecs: [jpeg], bpp: [0.35, 4]", toy="max_drop: 10, traffic: {jpeg: {0.35: 0.4, 4: 0.6}}")
    file = folder / "thresholds.yaml"
    file.write_text(file.read_text().replace("toy:data", "many:data"))
    done = command("run", "--json=r.json", "--device=cpu", "--early-stop")
    document = json.loads(Path("r.json").read_text())
    stopped = [cell["id"] for cell in document["cells"] if cell["stopped_early"]]
    (traffic,) = document["traffic"]
    assert (done.code, len(stopped) > 0) == (1, True)
    assert (traffic["drop"], traffic["missing"]) == (None, stopped)
    assert "was stopped early" in traffic["reason"]


def test_cells_of_other_limits_are_compared_on_the_images_of_all(gated):
    _, document = gated(defaults=DEFAULTS.replace("limit: 24", "limit: {jpeg: 24, webp: 10}"))
    (traffic,) = document["traffic"]
    common = set(evidence("webp-0.5bpp", "compressed").ids)
    assert traffic["images"] == len(common) == 10
    total = 0.0
    for cell, share in SHARES.items():
        clean, side = evidence(cell, "clean"), evidence(cell, "compressed")
        losses = [
            float(hit(before)) - float(hit(after))
            for name, before, after in zip(clean.ids, clean.items, side.items, strict=True)
            if name in common
        ]
        total += share / 0.9 * sum(losses) / len(losses)
    assert traffic["drop"] == pytest.approx(100 * total)


@pytest.mark.parametrize("order", ["jpeg, small", "small, jpeg"])
def test_each_cell_is_compared_with_its_own_clean_side(gated, folder, order):
    defaults = f"codecs: [{order}], bpp: null, quality: {{jpeg: [1, 90]}}, limit: 24"
    pipelines = "codecs: {small: {type: pipeline, steps: [{resize: {width: 96, height: 40}}, {jpeg: {quality: 90}}]}}\n"
    _, document = gated(
        keys="max_drop: 100, reference: input, traffic: {jpeg: {q1: 0.2, q90: 0.1}, small: 0.5}",
        defaults=defaults,
        before=pipelines,
    )
    shares = {"jpeg-q1": 0.25, "jpeg-q90": 0.125, "small": 0.625}
    sides = {
        (cell, side): sum(map(hit, evidence(cell, side).items)) / 24 * 100
        for cell in shares
        for side in ("clean", "compressed")
    }
    assert sides["small", "clean"] < sides["jpeg-q1", "clean"] == sides["jpeg-q90", "clean"]
    (traffic,) = document["traffic"]
    drop = sum(share * (sides[cell, "clean"] - sides[cell, "compressed"]) for cell, share in shares.items())
    assert traffic["drop"] == pytest.approx(drop)
    assert traffic["clean_score"] == pytest.approx(sum(shares[cell] * sides[cell, "clean"] for cell in shares))
    assert traffic["drop_low"] <= drop <= traffic["drop_high"]
    assert traffic["drop"] == pytest.approx(
        sum(
            share * cell["drop"]
            for cell in document["cells"]
            for name, share in shares.items()
            if f"[{name}]" in cell["id"]
        )
    )


def test_guards_without_shares_have_no_line_and_no_result(gated):
    done, document = gated(keys="max_drop: 100")
    assert document["traffic"] == []
    assert "traffic" not in done.out
    assert {cell["traffic"] for cell in document["cells"]} == {None}


def test_an_interrupted_run_keeps_no_part_of_a_mean(gated, folder, guards, command):
    (folder / "breaking.py").write_text(
        "import toy\n\nclass Model(toy.Spectrum):\n    asked = 0\n    def __call__(self, images):\n"
        "        Model.asked += 1\n        if Model.asked > 9:\n            raise ValueError('gone')\n"
        "        return super().__call__(images)\n\ndef model():\n    return Model()\n"
    )
    done, document = gated(keys=f"model: 'breaking:model', {KEYS}")
    assert done.code == 1
    (traffic,) = document["traffic"]
    assert (traffic["drop"], traffic["images"]) == (None, None)
    assert traffic["missing"]


def test_evidence_goes_to_a_file_only_where_asked(command, guards):
    guards(DEFAULTS, toy=KEYS)
    command("run", "--device=cpu")
    assert not list(Path().glob("*.zip"))


@pytest.mark.parametrize("seed", [0, 1])
def test_the_same_seed_gives_the_same_interval(gated, seed):
    first, second = (gated(f"--seed={seed}")[1]["traffic"] for _ in range(2))
    assert first == second


def test_images_that_belong_together_are_resampled_together(gated):
    alone = gated()[1]["traffic"][0]
    _, document = gated(keys=f"groups: 'slicing:half', {KEYS}")
    (together,) = document["traffic"]
    assert (together["drop"], together["reason"]) == (alone["drop"], None)
    assert together["drop_high"] - together["drop_low"] > 1.5 * (alone["drop_high"] - alone["drop_low"])
    with zipfile.ZipFile("r.evidence.zip") as archive:
        assert not [name for name in archive.namelist() if "groups" in name]


def test_qualities_have_shares_too(gated):
    done, document = gated(
        keys="max_drop: 100, traffic: {jpeg: {q75: 0.5, 0.5: 0.1}, webp: {q80: 0.4}}",
        defaults="codecs: [jpeg, webp], bpp: {jpeg: [0.5]}, quality: {jpeg: [75], webp: [80]}, limit: 8",
    )
    shares = {cell["id"].partition("[")[2][:-1]: cell["traffic"] for cell in document["cells"]}
    assert (done.code, shares) == (0, {"jpeg-0.5bpp": 0.1, "jpeg-q75": 0.5, "webp-q80": 0.4})
    (traffic,) = document["traffic"]
    drops = {cell["id"].partition("[")[2][:-1]: cell["drop"] for cell in document["cells"]}
    assert traffic["drop"] == pytest.approx(sum(share * drops[name] for name, share in shares.items()))
