"""The cache through pytest: a second run, runs at once, and runs that were killed at any moment."""

from __future__ import annotations

import contextlib
import errno
import json
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import pytest

from compress_guard.cli import main as command
from compress_guard.codecs.jpeg import Jpeg
from compress_guard.registry import CODECS

WORK = {"encodes", "check_encodes", "predictions", "remembered", "seconds"}
BATCH, IMAGES = 8, 32
CONTROL = 2 * 3 * BATCH
"""Three batches: after a lossless codec, and clean among other neighbours."""
LOOKED = 2 * BATCH
"""Predictions of a second run beside the first batch of each cell: the probing batch, and the first of the control."""

MOVED = (
    "toy: the model answers its probing batch, or the first batch of a cell, otherwise than the one with the same "
    "fingerprint did in the run before, of which nothing was used; change the fingerprint whenever the model changes, "
    "or name all files that it is made of; do without one where the model answers otherwise in every run"
)


def differences(cells, others):
    """(cell, field, one value, the other) wherever two runs say different things, not counting what they cost."""
    return [
        (one["id"], field, one[field], other[field])
        for one, other in zip(cells, others, strict=True)
        for field in one
        if field not in WORK and one[field] != other[field]
    ]


def cost(run, field):
    return sum(cell[field] for cell in run.json["cells"])


# A second run


def test_a_second_run_says_the_same_and_asks_the_model_for_first_batches_alone(project):
    keys = "max_drop: 30, fingerprint: v1, slices: {class: label}"
    project.guards(
        {"toy": keys, "image": f"{keys}, rate: image"},
        defaults="codecs: [jpeg, webp], bpp: [0.5, 1.0], decoder_swap: true",
    )
    first, second = project.run(), project.run("-v")
    assert (first.code, second.code) == (0, 0)
    assert differences(second.json["cells"], first.json["cells"]) == []
    # Each guard has two cells of a codec with one decoder, and two of one with a second.
    asked = LOOKED + 2 * (2 + 2 * 2) * BATCH
    assert [cost(second, field) for field in ("encodes", "check_encodes", "predictions")] == [0, 0, asked]
    assert cost(first, "remembered") == 0
    # The first clean batch is asked again at the end of a guard, unless all is remembered.
    assert cost(second, "remembered") == cost(first, "predictions") - asked - 2 * BATCH
    assert "earlier runs" not in first.out
    # The guards share their model and data: what the first has found, the second need not look for.
    assert "toy: 216 of 280 predictions are of earlier runs (fingerprint), the model was asked for 64" in second.out
    assert "image: 144 of 192 predictions are of earlier runs (fingerprint), the model was asked for 48" in second.out


@pytest.mark.skipif(CODECS.resolve("neural")().unavailable() is not None, reason="needs the extra neural")
def test_a_second_run_of_a_learned_codec_proves_nothing_anew(project):
    project.guard("max_drop: 100, codecs: [neural], limit: 4, fingerprint: v1")
    first, second = project.run(), project.run()
    assert differences(second.json["cells"], first.json["cells"]) == []
    assert (first.cell["check_encodes"], first.cell["bits_checked"]) == (2, 2)
    # The probing batch is of eight images, the limit is of four.
    assert [second.cell[field] for field in ("encodes", "check_encodes", "predictions")] == [0, 0, BATCH + 4 + 4]


def test_early_stop_goes_as_far_as_it_went(project):
    project.guard("max_drop: 60, bpp: [4.0], fingerprint: v1")
    first, second = project.run("--cg-early-stop"), project.run("--cg-early-stop")
    assert differences(second.json["cells"], first.json["cells"]) == []
    assert (second.cell["encodes"], second.cell["predictions"]) == (0, LOOKED + BATCH)


def test_the_fixture_guard_takes_a_fingerprint(project):
    project.write(
        "test_own.py",
        """
        import toy

        def test_own(guard):
            wanted = {"task": "classification", "codec": "jpeg", "bpp": 0.5, "max_drop": 100}
            guard.check(toy.model(), toy.data(), fingerprint="v1", **wanted)
        """,
    )
    first, second = project.run("test_own.py"), project.run("test_own.py")
    assert differences(second.json["cells"], first.json["cells"]) == []
    assert (second.cell["encodes"], second.cell["predictions"]) == (0, LOOKED + BATCH)


def test_nothing_is_kept_where_nothing_shall_be(project):
    project.guard("max_drop: 100, fingerprint: v1")
    for _ in range(2):
        run = project.run("--cg-no-cache")
        assert (run.cell["predictions"], run.cell["remembered"]) == (2 * IMAGES + CONTROL + BATCH, None)
    assert not (project.folder / ".compress_guard").exists()


def test_a_folder_that_pytest_takes_for_tests_is_said(project, tmp_path_factory):
    project.guard("max_drop: 100, limit: 8")
    elsewhere = tmp_path_factory.mktemp("elsewhere")
    apart, joined = project.run("--cg-cache", str(elsewhere)), project.run(f"--cg-cache={elsewhere}")
    assert apart.code == pytest.ExitCode.USAGE_ERROR
    assert apart.out.strip() == (
        f"ERROR: rootdir: pytest chose {elsewhere.parent}, and thresholds.yaml is in {project.folder}; write "
        "--cg-cache=DIR, since pytest takes the DIR of --cg-cache DIR for a path to tests; or name the file: "
        "--cg-thresholds=thresholds.yaml"
    )
    assert joined.code == 0


# A full disk

TEMPORARY = "compress-guard-run-"


def fill_up_temporary_folders(patch):
    """Let only the first bytes of each file of the run itself be written from now on."""
    write_bytes = Path.write_bytes

    def full(path, data):
        if TEMPORARY not in str(path):
            return write_bytes(path, data)
        write_bytes(path, data[:7])
        raise OSError(errno.ENOSPC, "No space left on device")

    patch.setattr(Path, "write_bytes", full)


@pytest.mark.parametrize("program", ["pytest", "command"])
def test_a_full_temporary_folder_costs_evidence_and_no_result(project, monkeypatch, capsys, program):
    def run():
        if program == "pytest":
            made = project.run()
            return made.code, made.out, made.json
        with contextlib.chdir(project.folder):
            code = command(["run", "--json=results.json"])
        return code, capsys.readouterr().err, json.loads((project.folder / "results.json").read_text())

    monkeypatch.syspath_prepend(project.folder)
    project.guard("max_drop: 100, bpp: [0.5, 2.0], fingerprint: v1")
    _, before, first = run()
    with monkeypatch.context() as patch:
        fill_up_temporary_folders(patch)
        code, out, second = run()
    assert code == 0
    assert differences(second["cells"], first["cells"]) == []
    assert (
        "json: the evidence of 2 of 2 cells is not beside their results, the first: "
        f"thresholds.yaml::toy[jpeg-0.5bpp]; {tempfile.gettempdir()} had no room for it: make some, or let TMPDIR name "
        "another folder\n"
    ) in out
    assert (first["evidence"] is None, second["evidence"]) == (False, None)
    _, after, third = run()
    assert differences(third["cells"], first["cells"]) == []
    assert "had no room" not in before + after


# Whatever moved


def test_a_library_that_moved_is_coded_again_and_told(project, monkeypatch):
    project.guard("max_drop: 100, bpp: [0.5, 1.0], fingerprint: v1")
    first = project.run()
    before = first.cells["toy[jpeg-0.5bpp]"]["codec_version"]
    monkeypatch.setattr(Jpeg, "_version", lambda self: "libjpeg-turbo 9.9 (Pillow 99)")
    second = project.run()
    assert f"jpeg: {before} in the run before, now libjpeg-turbo 9.9 (Pillow 99): coded again" in second.out
    assert {cell["codec_moved"] for cell in second.json["cells"]} == {before}
    assert cost(second, "encodes") == cost(first, "encodes") > 0
    assert cost(second, "predictions") == LOOKED + 2 * IMAGES + BATCH
    third = project.run()
    assert "in the run before" not in third.out
    assert {cell["codec_moved"] for cell in third.json["cells"]} == {None}


WEIGHTED = """
    from pathlib import Path
    import toy

    class Weighted(toy.Spectrum):
        def __call__(self, images):
            weight = float(Path(__file__).with_name("weight.txt").read_text())
            return [weight * scores for scores in super().__call__(images)]

    def model():
        return Weighted()
"""


def test_weights_that_moved_under_a_stated_fingerprint_are_found_out(project):
    project.write("weighted.py", WEIGHTED)
    project.write("weight.txt", "1.0")
    project.guard('max_drop: 100, fingerprint: release 7, model: "weighted:model"')
    first = project.run()
    project.write("weight.txt", "1.000001")
    second = project.run()
    assert MOVED in second.out
    assert second.cell["model_moved"]
    assert (second.cell["remembered"], second.cell["predictions"]) == (0, first.cell["predictions"])
    third = project.run()
    assert MOVED not in third.out
    assert third.cell["predictions"] == LOOKED + BATCH


def test_files_of_the_fingerprint_speak_for_themselves(project):
    project.write("weighted.py", WEIGHTED)
    project.write("weight.txt", "1.0")
    project.guard('max_drop: 100, fingerprint: {files: [weight.txt, weighted.py]}, model: "weighted:model"')
    first = project.run()
    project.write("weight.txt", "1.000001")
    second = project.run()
    assert (second.cell["model_moved"], second.cell["remembered"]) == (False, 0)
    assert second.cell["predictions"] == first.cell["predictions"]
    assert project.run().cell["predictions"] == LOOKED + BATCH


def test_a_file_of_the_fingerprint_that_is_not_there(project):
    project.guard("max_drop: 100, fingerprint: {files: [toy.py, weights.pt]}")
    run = project.run()
    assert run.code == pytest.ExitCode.TESTS_FAILED
    assert run.cell["verdict"] == "error"
    assert run.cell["reason"] == (
        "fingerprint: the file weights.pt cannot be read (No such file or directory); expected a file that holds (part "
        "of) the model, named from the folder of the thresholds file"
    )


def test_an_uncertain_model_shows_its_new_score(project):
    project.write("weighted.py", WEIGHTED)
    project.write("weight.txt", "1.0")
    project.guard('max_drop: 100, model: "weighted:model"')
    first = project.run()
    project.write("weight.txt", "-1.0")
    second = project.run()
    assert first.cell["clean_score"] > 90
    assert second.cell["clean_score"] < 10
    assert (second.cell["encodes"], second.cell["remembered"], second.cell["model_moved"]) == (0, None, False)


# --cg-cache-size


def size(folder):
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file() and path.name != ".gitignore")


def test_the_cache_has_a_size_and_what_went_is_made_again(project, monkeypatch):
    monkeypatch.setattr("compress_guard.engine.settings.MEGABYTE", 1000)
    project.guard("max_drop: 100, bpp: [0.5, 2.0], fingerprint: v1")
    whole = project.run()
    assert size(project.folder / ".compress_guard") > 60_000
    small = project.run("--cg-cache-size=50")
    assert differences(small.json["cells"], whole.json["cells"]) == []
    assert 20_000 < size(project.folder / ".compress_guard") <= 50_000
    again = project.run()
    assert differences(again.json["cells"], whole.json["cells"]) == []


@pytest.mark.parametrize("value", ["0", "-5", "1.5", "all"])
def test_a_size_is_a_whole_number(project, value):
    run = project.run(f"--cg-cache-size={value}")
    assert run.code == pytest.ExitCode.USAGE_ERROR
    assert f"argument --cg-cache-size: '{value}' is not a whole number of at least 1" in run.out


# Runs at once, and runs that were killed


DIARY = """
    import os
    import time
    from pathlib import Path

    def note(what, count):
        handle = os.open(Path(__file__).with_name("diary.txt"), os.O_APPEND | os.O_CREAT | os.O_WRONLY)
        os.write(handle, f"{what} {count}\\n".encode())
        os.close(handle)
"""
SLOW = """
    import os
    import time
    import toy
    from diary import note

    class Slow(toy.Spectrum):
        def __call__(self, images):
            note("predicted", len(images))
            time.sleep(0.06)
            return super().__call__(images)

    def model():
        note("started", 0)
        note("process", os.getpid())
        return Slow()

    def data():
        note("started", 0)
        return toy.data()
"""
ENCODES = """
    import time
    from diary import note
    from compress_guard.codecs.pillow import PillowCodec

    encode = PillowCodec.encode

    def noted(self, images, settings, workers=1):
        if self.type != "ppm":
            note("encoded", len(images))
            time.sleep(0.02)
        return encode(self, images, settings, workers)

    PillowCodec.encode = noted
"""


class Slow:
    """A project whose model and codecs take their time and write down what they were asked for."""

    def __init__(self, project, keys):
        self.project, self.diary = project, project.folder / "diary.txt"
        project.write("diary.py", DIARY)
        project.write("slow.py", SLOW)
        project.write("conftest.py", ENCODES)
        factories = 'model: "slow:model", data: "slow:data"'
        project.guards({"toy": f"max_drop: 30, {factories}{keys}"}, defaults="codecs: [jpeg, webp], bpp: [0.5, 1.0]")

    def start(self, cache, *arguments, results="results.json"):
        command = [sys.executable, "-m", "pytest", "--compress-guard", f"--cg-cache={cache}", f"--cg-json={results}"]
        environment = {name: value for name, value in os.environ.items() if not name.startswith("PYTEST_")}
        return subprocess.Popen(
            [*command, "-p", "no:benchmark", *arguments],
            cwd=self.project.folder,
            env={**environment, "OMP_NUM_THREADS": "1"},
            stdout=subprocess.DEVNULL,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )

    def finished(self, process, results="results.json"):
        """The cells of a run once it has ended."""
        assert process.wait(300) == 0
        return self.results(results)

    def results(self, name="results.json"):
        """The cells of the last run that ended."""
        return json.loads((self.project.folder / name).read_text())["cells"]

    def process(self):
        """A process that has come to its model; waits for one."""
        deadline = time.monotonic() + 120
        while time.monotonic() < deadline:
            lines = self.diary.read_text().splitlines() if self.diary.exists() else []
            found = [int(line.split()[1]) for line in lines if line.startswith("process ")]
            if found:
                return found[0]
            time.sleep(0.005)
        raise TimeoutError

    def asked(self, what):
        """Return the number of images given to the model, or to encoders, since the diary was last cleared."""
        if not self.diary.exists():
            return 0
        lines = (line.split() for line in self.diary.read_text().splitlines())
        return sum(int(count) for name, count in lines if name == what)

    def clear(self):
        self.diary.unlink(missing_ok=True)

    def killed(self, cache, delay, *arguments):
        """Start a run and kill all its processes so long after it came to the data; False if it was done by then."""
        begun = self.diary.read_text().count("started") if self.diary.exists() else 0
        process = self.start(cache, *arguments)
        deadline = time.monotonic() + 120
        while process.poll() is None and time.monotonic() < deadline:
            if self.diary.exists() and self.diary.read_text().count("started") > begun:
                break
            time.sleep(0.005)
        time.sleep(delay)
        done = process.poll() is not None
        if not done:
            os.killpg(process.pid, signal.SIGKILL)
            assert process.wait(60) == -signal.SIGKILL
        return not done


@pytest.fixture
def slow(project):
    return lambda keys: Slow(project, keys)


@pytest.mark.slow  # four processes that import torch
def test_two_runs_at_once_on_one_folder_are_as_alone(slow):
    runs = slow(", fingerprint: v1")
    names = ("one.json", "two.json")
    processes = [runs.start("shared", results=name) for name in names]
    one, two = (runs.finished(process, name) for process, name in zip(processes, names, strict=True))
    runs.clear()
    alone = runs.finished(runs.start("alone"))
    assert differences(one, alone) == differences(two, alone) == []
    runs.clear()
    assert differences(runs.finished(runs.start("shared")), alone) == []
    assert (runs.asked("encoded"), runs.asked("predicted")) == (0, LOOKED + 4 * BATCH)


KILLS = 20


def undisturbed(runs):
    """The cells of a run that nobody kills, and the seconds that its work took."""
    process = runs.start("alone")
    while not runs.diary.exists():
        time.sleep(0.005)
    started = time.monotonic()
    return runs.finished(process), time.monotonic() - started


@pytest.mark.slow
def test_runs_killed_at_any_moment_lose_at_most_a_batch_each_and_change_no_result(slow):
    runs, choice = slow(", fingerprint: v1"), random.Random(1)
    expected, seconds = undisturbed(runs)
    images = runs.asked("predicted")
    assert images == BATCH + IMAGES + CONTROL + 4 * IMAGES + BATCH  # the last: asked again at the end of the guard
    runs.clear()
    killed = whole = 0
    while killed < KILLS:
        if runs.killed("cache", choice.uniform(0, seconds / 4)):
            killed += 1
            continue
        whole += 1
        assert differences(runs.results(), expected) == []
        shutil.rmtree(runs.project.folder / "cache")
    cells = runs.finished(runs.start("cache"))
    assert differences(cells, expected) == []
    # What a killed run lost, and what the next one looks at again: of the control and of the cells that had begun.
    assert runs.asked("predicted") <= (whole + 1) * images + killed * (2 * BATCH + LOOKED + 4 * BATCH)
    assert not list((runs.project.folder / "cache").rglob("*.lock"))


@pytest.mark.slow
def test_runs_of_an_uncertain_model_that_are_killed_lose_at_most_a_chunk_of_streams_each(slow):
    runs, choice = slow(""), random.Random(2)
    expected, seconds = undisturbed(runs)
    images = runs.asked("encoded")
    runs.clear()
    killed = sum(runs.killed("cache", choice.uniform(0, seconds / 2)) for _ in range(KILLS // 2))
    assert killed >= KILLS // 4
    cells = runs.finished(runs.start("cache"))
    assert differences(cells, expected) == []
    # A chunk of the plan that is being made, and one of the plan that is made ahead of it.
    assert images <= runs.asked("encoded") <= images + killed * 2 * 32
    assert [cell["remembered"] for cell in cells] == [None] * 4


@pytest.mark.slow
def test_killed_workers_lose_at_most_a_batch_each(slow):
    runs, choice, workers = slow(", fingerprint: v1"), random.Random(3), 2
    expected, seconds = undisturbed(runs)
    images = runs.asked("predicted")
    runs.clear()
    killed = sum(runs.killed("cache", choice.uniform(0, seconds / 3), f"-n{workers}") for _ in range(6))
    assert killed >= 3
    cells = runs.finished(runs.start("cache", f"-n{workers}"))
    assert differences(cells, expected) == []
    # Two workers may be at the control of their guard at the same time: neither waits for the other.
    runs_made = 7
    assert runs.asked("predicted") <= images + CONTROL + runs_made * workers * (2 * BATCH + LOOKED + 4 * BATCH)
    again = sum(cell["predictions"] for cell in runs.finished(runs.start("cache", f"-n{workers}")))
    assert again <= workers * (LOOKED + 4 * BATCH)


@pytest.mark.slow
def test_a_worker_that_is_killed_alone_changes_no_result(slow):
    runs, choice = slow(", fingerprint: v1"), random.Random(4)
    expected, seconds = undisturbed(runs)
    runs.clear()
    process = runs.start("cache", "-n2")
    worker = runs.process()
    time.sleep(choice.uniform(0, seconds / 4))
    os.kill(worker, signal.SIGKILL)
    # The cell that it was at is an error, if it was at one; all others are made by another worker.
    assert process.wait(300) == pytest.ExitCode.TESTS_FAILED
    moved = differences(runs.results(), expected)
    hit = {name for name, *_ in moved}
    assert len(hit) <= 1
    assert [new for _, field, new, _ in moved if field == "verdict"] == ["error"] * len(hit)
    assert differences(runs.finished(runs.start("cache", "-n2")), expected) == []
