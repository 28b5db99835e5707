"""Throughput cells under pytest-benchmark, and the fixture `codec_throughput`."""

from __future__ import annotations

import importlib.util
import json

import pytest
import torch

from compress_guard.codecs.webp import WebP
from compress_guard.engine.throughput import comparison
from compress_guard.errors import CodecError
from compress_guard.records import ThroughputResult
from compress_guard.verdict.speed import SpeedJudgement

# Whoever distributes these tests: they look at one run.
pytestmark = pytest.mark.xdist_group("plugin-throughput")

FILE = """
    version: 1
    defaults: {codecs: [jpeg, webp], bpp: [2.0], limit: 4}
    guards:
      toy:
        task: classification
        model: toy:model
        data: toy:data
        max_drop: 100
        throughput:
          images: 3
          rounds: 4
          min_ratio: {encode: 0.0001, decode: {webp: 900}}
          min_speed: {device: Cray-1, round_trip: 1}
"""
MODEL = ["toy[jpeg-2.0bpp]", "toy[webp-2.0bpp]"]
SPEED = [f"toy[throughput-{codec}-2.0bpp{work}]" for codec in ("jpeg", "webp") for work in ("-encode", "-decode", "")]
NOT_TIMED = {"seconds", "encodes", "predictions"}


@pytest.fixture(autouse=True, scope="module")
def alone():
    """A worker of the run that these tests are part of does not make their own runs workers."""
    with pytest.MonkeyPatch.context() as patch:
        patch.delenv("PYTEST_XDIST_WORKER", raising=False)
        # pytest-benchmark asks it for what its files say of the machine, which takes a second each time.
        patch.setattr("cpuinfo.get_cpu_info", dict)
        # Nor has each cell to collect the garbage of a whole test run.
        patch.setattr(comparison, "held", lambda device: 100.0)
        yield


@pytest.fixture(scope="module")
def shared(new_project, alone):
    project = new_project()
    project.write("thresholds.yaml", FILE)
    return project


@pytest.fixture(scope="module")
def whole(shared):
    """The run of everything."""
    return shared.run("--cg-benchmark", "--benchmark-json=benchmark.json", "-v", "-rs", "-W", "error")


def speeds(run):
    """Results of throughput cells by what stands after the file in their ids."""
    return {result["id"].partition("::")[2]: result for result in run.json["throughput"]}


# Cells


def test_throughput_cells_come_behind_their_guard_s_and_only_if_asked_for(shared):
    ids = [f"thresholds.yaml::{name}" for name in (*MODEL, *SPEED)]
    assert shared.run("--cg-benchmark", "--collect-only", "-q").collected == ids
    assert shared.run("--cg-benchmark", "--collect-only", "-q", "-k", "throughput and webp").collected == ids[5:]
    assert shared.run("--collect-only", "-q").collected == ids[:2]


def test_a_file_that_asks_for_none_has_its_data_timed(project):
    project.guards({"one": "max_drop: 1", "two": "max_drop: 2"})
    assert project.run("--cg-benchmark", "--collect-only", "-q").collected == [
        "thresholds.yaml::one[jpeg-0.5bpp]",
        "thresholds.yaml::one[throughput-jpeg-0.5bpp-encode]",
        "thresholds.yaml::one[throughput-jpeg-0.5bpp-decode]",
        "thresholds.yaml::one[throughput-jpeg-0.5bpp]",
        "thresholds.yaml::two[jpeg-0.5bpp]",
    ]


def test_collecting_imports_nothing_heavy(project):
    project.write(
        "conftest.py",
        "import sys\ndef pytest_unconfigure(): print('heavy:', {'torch', 'PIL'} & set(sys.modules))",
    )
    run = project.start("--cg-benchmark", "--collect-only", "-q")
    assert "toy[throughput-jpeg-0.5bpp]" in run.out
    assert "heavy: set()" in run.out


def test_results_are_in_the_json_file(whole):
    found = speeds(whole)
    assert list(found) == SPEED
    assert list(whole.cells) == MODEL
    encode = ThroughputResult.from_dict(found["toy[throughput-webp-2.0bpp-encode]"])
    assert encode.id == "thresholds.yaml::toy[throughput-webp-2.0bpp-encode]"
    assert (encode.verdict, encode.outcome, encode.settled_by) == ("pass", "passed", "interval")
    assert (encode.images, encode.rounds, encode.reference, encode.min_ratio) == (3, 4, "jpeg", 0.0001)
    assert encode.ratio_low <= encode.ratio <= encode.ratio_high
    assert encode.speed > 0
    verdicts = [(result["verdict"], result["outcome"]) for result in found.values()]
    skipped = ("unjudged", "skipped")
    assert verdicts == [skipped, skipped, skipped, ("pass", "passed"), ("fail", "failed"), skipped]


def test_a_slow_codec_fails_with_both_sides_at_the_line_of_its_limit(whole):
    reason = speeds(whole)["toy[throughput-webp-2.0bpp-decode]"]["reason"]
    assert whole.code == 1
    assert f"thresholds.yaml:12: toy[throughput-webp-2.0bpp-decode]: fail\n{reason}\n" in whole.out
    assert "least allowed 900" in reason
    assert "Traceback" not in whole.out


def test_a_limit_for_another_device_is_told_and_not_judged(whole):
    assert "toy: min_speed is meant for Cray-1 and was not judged on cpu" in whole.out
    assert "SKIPPED [1] thresholds.yaml:13: webp encodes and decodes" in whole.out


def test_the_summary_has_a_table_behind_the_matrix(whole):
    matrix, table = whole.out.index("toy: top1"), whole.out.index("toy: 3 images of 0.028 megapixels in all, threads:")
    assert matrix < table
    assert "throughput: 6 cells: 1 failed, 1 passed, 4 skipped (verdicts: 1 pass, 1 fail, 4 unjudged)" in whole.out


def test_junit_has_the_properties(whole):
    for name, result in speeds(whole).items():
        written = {one.get("name"): one.get("value") for one in whole.junit[name]._elem.iter("property")}
        assert (written["cg_verdict"], written["cg_work"]) == (result["verdict"], result["work"])
        assert float(written["cg_speed"]) == result["speed"]


def test_model_cells_are_as_they_are_without(shared, whole):
    without = shared.run("--cg-no-cache")
    assert without.json["throughput"] == []
    assert without.code == 0

    def numbers(run):
        return {
            name: {key: value for key, value in cell.items() if key not in NOT_TIMED}
            for name, cell in run.cells.items()
        }

    assert numbers(without) == numbers(whole)


def test_a_guard_of_which_only_throughput_was_selected_is_no_gate_that_gates_nothing(shared):
    run = shared.run("--cg-benchmark", "-k", "throughput and webp and encode", "-n0")
    assert (run.code, run.outcomes) == (0, {"passed": 1, "deselected": 7})
    assert "gates nothing" not in run.out


def test_what_cannot_be_timed_is_settled_by_the_guard_and_warns_of_nothing(project):
    project.guards(
        {
            "floor": "bpp: [0.02], max_drop: 100, throughput: {}",
            "absent": "codecs: [own], max_drop: 100, throughput: {}",
            "broken": 'data: "toy:nowhere", max_drop: 100, throughput: {}',
        },
        head="codecs: {own: {type: command, encoder: 'no-such {setting} {input} {output}', decoder: "
        "'no-such {input} {output}', settings: 1..9}}",
    )
    run = project.run("--cg-benchmark", "-k", "throughput and encode", "--benchmark-json=b.json", "-W", "error")
    found = {result["guard"]: (result["verdict"], result["outcome"]) for result in run.json["throughput"]}
    assert found == {
        "floor": ("unreachable", "skipped"),
        "absent": ("unavailable", "failed"),
        "broken": ("error", "failed"),
    }
    assert run.outcomes == {"skipped": 1, "failed": 2, "deselected": 9}
    assert json.loads((project.folder / "b.json").read_text())["benchmarks"] == []


def test_a_codec_that_breaks_while_it_is_timed_is_no_benchmark(shared, monkeypatch):
    passes = []
    encode = WebP.encode

    def breaks(self, images, settings, workers=1):
        passes.append(len(images))
        if len(passes) > 3:
            raise CodecError("webp: out of order")
        return encode(self, images, settings, workers)

    monkeypatch.setattr(WebP, "encode", breaks)
    select = ["-k", "throughput and webp and encode", "--benchmark-json=broken.json"]
    run = shared.run("--cg-benchmark", *select, "-W", "error")
    (found,) = run.json["throughput"]
    assert (found["verdict"], found["speed"]) == ("codec_error", None)
    assert "webp: out of order" in found["reason"]
    assert json.loads((shared.folder / "broken.json").read_text())["benchmarks"] == []


def test_an_open_verdict_passes_with_a_question_mark(shared, monkeypatch):
    monkeypatch.setattr(comparison, "judge_speed", lambda *_: SpeedJudgement("inconclusive", "who knows", False))
    run = shared.run("--cg-benchmark", "-k", "throughput and webp and encode", "-v")
    assert (run.code, run.outcomes["inconclusive"]) == (0, 1)
    assert "INCONCLUSIVE" in run.out


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device")
def test_on_a_gpu_the_reference_stays_on_the_cpu(project):
    project.guard("codecs: [own], throughput: {}", head='codecs: {own: {type: jpeg, subsampling: "4:4:4"}}')
    run = project.run("--cg-benchmark", "--cg-device=cuda", "-k", "throughput")
    for result in speeds(run).values():
        assert result["device"].startswith("cuda:0 (")
        assert (result["reference"], result["ratio"] > 0) == ("jpeg", True)
        assert (result["transfer_speed"] is None) == result["codec_device"].startswith("cpu")


# pytest-benchmark


def test_its_json_has_every_cell_that_was_timed(shared, whole):
    document = json.loads((shared.folder / "benchmark.json").read_text())
    found = {benchmark["name"]: benchmark for benchmark in document["benchmarks"]}
    assert list(found) == SPEED
    for name, result in speeds(whole).items():
        assert found[name]["fullname"] == result["id"]
        assert found[name]["stats"]["rounds"] == 4
        told = found[name]["extra_info"]
        assert told == {key: result[key] for key in told}
        assert {"codec", "target_bpp", "speed", "ratio", "threads", "growth"} <= set(told)
        # Both clocks saw the same passes.
        assert found[name]["stats"]["median"] >= 0.9 * result["megapixels"] / result["speed"]
    assert {benchmark["group"] for benchmark in found.values()} == {
        "toy: encode at 2 bpp", "toy: decode at 2 bpp", "toy: round trip at 2 bpp",
    }  # fmt: skip


def test_runs_can_be_compared(shared):
    one = ["--cg-benchmark", "-k", "throughput and webp and encode"]
    assert shared.run(*one, "--benchmark-save=before").code == 0
    run = shared.run(*one, "--benchmark-compare", "--benchmark-compare-fail=median:900%")
    assert run.code == 0
    assert "toy[throughput-webp-2.0bpp-encode] (NOW)" in run.out
    assert "toy[throughput-webp-2.0bpp-encode] (0001_before)" in run.out


@pytest.mark.skipif(importlib.util.find_spec("pygal") is None, reason="needs pygal, which draws the histograms")
def test_histograms_are_drawn(shared):
    shared.run("--cg-benchmark", "-k", "throughput and webp and encode", "--benchmark-histogram=drawn")
    assert list(shared.folder.glob("drawn*.svg"))


def test_benchmark_only_runs_them_alone(shared):
    run = shared.run("--cg-benchmark", "--benchmark-only", "-k", "webp and not decode")
    assert list(speeds(run)) == [SPEED[3], SPEED[5]]
    assert run.cells == {}
    assert (run.code, "gates nothing" in run.out) == (0, False)


def test_benchmark_skip_leaves_them_out(shared):
    run = shared.run("--cg-benchmark", "--benchmark-skip", "-k", "jpeg")
    assert (run.code, run.outcomes) == (0, {"passed": 1, "skipped": 3, "deselected": 4})


@pytest.mark.parametrize(("arguments", "message"), [
    ("-n 2",
     "--cg-benchmark with -n: parallel processes slow one another down, and pytest-benchmark times "
     "nothing in them; run it by itself: pytest --compress-guard --cg-benchmark -k throughput -n 0"),
    ("-p no:benchmark",
     "--cg-benchmark: needs pytest-benchmark, which is not loaded; leave out -p no:benchmark, or load it by -p"),
    ("--benchmark-disable",
     "--cg-benchmark with --benchmark-disable: there is nothing to time then; run it by itself: pytest "
     "--compress-guard --cg-benchmark -k throughput --benchmark-enable"),
])  # fmt: skip
def test_a_run_that_could_time_nothing_is_a_usage_error(shared, arguments, message):
    run = shared.run("--cg-benchmark", *arguments.split())
    assert (run.code, run.out.strip()) == (pytest.ExitCode.USAGE_ERROR, f"ERROR: {message}")


def test_without_pytest_benchmark_it_says_what_to_install(shared, monkeypatch):
    find = importlib.util.find_spec
    monkeypatch.setattr(
        importlib.util, "find_spec", lambda name, *more: None if name == "pytest_benchmark" else find(name, *more)
    )
    run = shared.run("--cg-benchmark", "-p", "no:benchmark")
    assert run.code == pytest.ExitCode.USAGE_ERROR
    assert run.out.strip() == (
        "ERROR: --cg-benchmark: needs pytest-benchmark, which is not installed; pip install 'compress-guard[benchmark]'"
    )


def test_the_option_alone_switches_nothing_on(shared):
    assert shared.run("--cg-benchmark", "--collect-only", "-q", gate=False).collected == []


# The fixture

OWN = """
    import pytest
    import toy

    IMAGES = [image for image, _, _ in toy.data()[:3]]
    FEW = {"codec": "webp", "bpp": 2.0, "rounds": 3}

    def test_held(codec_throughput):
        found = codec_throughput.check(IMAGES, **FEW, work="decode", min_ratio=0.0001)
        assert (found.verdict, found.guard, found.images) == ("pass", "test_held", 3)

    def test_slow(codec_throughput):
        codec_throughput.check(IMAGES, **FEW, work="encode", min_ratio=900)
        raise AssertionError("not reached")

    @pytest.mark.parametrize("codec", ["jpeg", "webp"])
    def test_measured(codec_throughput, codec):
        found = codec_throughput.measure(IMAGES, codec=codec, bpp=2.0, rounds=3)
        assert (found.verdict, found.codec, found.work) == ("unjudged", codec, "round_trip")
        assert found.speed > 0

    def test_several(codec_throughput):
        limit = {"work": "encode", "min_ratio": 0.0001}
        first = codec_throughput.check(IMAGES, **FEW, **limit)
        assert codec_throughput.check(IMAGES, **FEW, **limit).images == first.images

    def test_floor(codec_throughput):
        codec_throughput.check(IMAGES, codec="webp", bpp=0.02, max_growth=900)

    def test_no_limit(codec_throughput):
        codec_throughput.check(IMAGES, **FEW)

    def test_misspelt(codec_throughput):
        codec_throughput.check(IMAGES, **FEW, min_ration=1, max_growth=900)

    def test_device(codec_throughput):
        codec_throughput.measure(IMAGES, **FEW, device="cpu")

    def test_name(codec_throughput):
        codec_throughput.measure(IMAGES, **FEW, node_id="x")
"""


@pytest.fixture(scope="module")
def own(shared):
    shared.write("test_own.py", OWN)
    return shared


@pytest.fixture(scope="module")
def checked(own):
    # Who is refused has timed nothing, of which pytest-benchmark warns.
    unused = "ignore:Benchmark fixture was not used"
    return own.run("test_own.py", "-v", "-rs", "--benchmark-json=own.json", "-W", unused)


def test_it_checks(checked):
    for name, word in {
        "test_held": "PASSED",
        "test_slow": "FAILED",
        "test_measured[jpeg]": "PASSED",
        "test_measured[webp]": "PASSED",
        "test_several": "PASSED",
        "test_floor": "SKIPPED",
        "test_no_limit": "FAILED",
    }.items():
        assert f"test_own.py::{name} {word}" in checked.out
    assert "least allowed 900" in checked.out
    assert "cannot reach 0.02 bpp" in checked.out


def test_what_it_checks_is_recorded_and_what_it_measures_is_not(checked):
    label = "throughput-webp-2.0bpp"
    assert list(speeds(checked)) == [
        "test_floor::throughput-webp-0.02bpp",
        f"test_held::{label}-decode",
        f"test_several::{label}-encode",
        f"test_several::{label}-encode#1",
        f"test_slow::{label}-encode",
    ]
    written = {one.get("name"): one.get("value") for one in checked.junit["test_held"]._elem.iter("property")}
    assert written["cg_verdict"] == "pass"


def test_each_test_is_one_benchmark(own, checked):
    document = json.loads((own.folder / "own.json").read_text())
    timed = {benchmark["name"]: benchmark["stats"]["rounds"] for benchmark in document["benchmarks"]}
    names = ["test_held", "test_slow", "test_measured[jpeg]", "test_measured[webp]", "test_several"]
    assert timed == dict.fromkeys(names, 3)


@pytest.mark.parametrize(
    "message",
    [
        "codec_throughput.check needs min_ratio or max_growth; use codec_throughput.measure to measure only",
        "unknown keyword 'min_ration', did you mean 'min_ratio'?",
        "codec_throughput.measure takes no device: it is the same for all tests; give --cg-device to pytest",
        "unknown keyword 'node_id'",
    ],
)
def test_what_makes_no_sense_is_refused(checked, message):
    assert message in checked.out


def test_it_is_skipped_where_the_gate_or_the_benchmarks_are_off(own):
    off = own.run("test_own.py", "-rs", gate=False)
    assert off.outcomes == {"skipped": 10}
    assert "needs --compress-guard" in off.out
    run = own.run("test_own.py", "-rs", "--benchmark-disable")
    assert run.outcomes == {"skipped": 10}
    assert "not timed: --benchmark-disable" in run.out


def test_benchmark_only_knows_it(own):
    run = own.run("test_own.py", "--benchmark-only", "-k", "held")
    assert (run.code, run.outcomes) == (0, {"passed": 1, "deselected": 9})


def test_it_says_what_it_needs(own, monkeypatch):
    absent = own.run("test_own.py", "-k", "held", "-p", "no:benchmark")
    assert absent.outcomes == {"errors": 1, "deselected": 9}
    assert "codec_throughput needs pytest-benchmark, which is not loaded; leave out -p no:benchmark" in absent.out
    monkeypatch.setenv("PYTEST_XDIST_WORKER", "gw0")
    monkeypatch.setattr(own, "as_worker", True)
    spread = own.run("test_own.py", "-k", "held")
    assert spread.outcomes["errors"] > 0
    assert "pytest-benchmark times nothing in a worker of pytest-xdist; run it by itself" in spread.out
