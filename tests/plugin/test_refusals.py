"""A thresholds file or option without sense: exit code 4, one whole message, nothing measured."""

from __future__ import annotations

import contextlib

import pytest

from compress_guard.cli import main

GUARD = "guards:\n  toy: {task: classification, model: 'toy:model', data: 'toy:data', max_drop: 5%s}\n"


def file(before="", **keys):
    more = "".join(f", {key}: {value}" for key, value in keys.items())
    return f"version: 1\n{before}{GUARD % more}"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (
            file(max_dorp=5),
            "3: toy: unknown key 'max_dorp', did you mean 'max_drop'? known: bpp, codecs, confidence, correction, "
            "data, decoder_swap, decoders, fingerprint, groups, limit, max_decoder_drop, max_drop, max_error_share, "
            "max_regression, "
            "metric, min_clean, min_score, model, on_inconclusive, on_unavailable, on_unreachable, orientation, "
            "quality, rate, rate_tolerance, recovery, reference, slices, task, throughput, traffic; correct or "
            "remove it",
        ),
        (
            file(codecs="[jpg]"),
            "3: toy: unknown codec 'jpg', did you mean 'jpeg'? known: avif, command, compressai, heic, jp2, jpeg, jxl, "
            "neural, pipeline, webp, zoo; use one of these, or define it under codecs",
        ),
        (
            file(metric="top2"),
            "3: toy: unknown classification metric 'top2', did you mean 'top5'? known: top1, top5; use one of these",
        ),
        (
            file().replace("classification", "clasification"),
            "3: toy: unknown task 'clasification', did you mean 'classification'? known: classification, detection, "
            "segmentation; use one of these",
        ),
        (
            file(limit="many"),
            "3: toy: limit must be a whole number above 0 or null, found 'many'; write a number of images, or null for "
            "all of them",
        ),
        (
            file(bpp="[20]"),
            "3: toy: rate 20 bpp is outside 0.02 to 8; use a rate in that range, or did you mean quality: [20]?",
        ),
        (file(bpp="[1, 1.0]"), "3: toy: the rate 1.0 of bpp is the same as 1; keep one of them"),
        (file() + GUARD[8:] % "", "4: the key 'toy' is given twice, first on line 3; keep one of them"),
        ("version: 1\n", "1: there are no guards; add guards: with at least one guard"),
        ("", "1: the file is empty; begin it with version: 1 and add guards"),
        (
            "version: 1\nguards: {a: [1}\n",
            "2: not valid YAML: expected ',' or ']', but got '}' (while parsing a flow sequence); correct the syntax",
        ),
    ],
    ids="key codec metric task type rate-range rate-twice guard-twice no-guards empty syntax".split(),
)
def test_a_file_without_sense(project, text, message):
    project.write("thresholds.yaml", text)
    run = project.run()
    assert run.code == pytest.ExitCode.USAGE_ERROR
    assert run.out.strip() == f"ERROR: thresholds.yaml:{message}"
    assert run.json is None


@pytest.mark.parametrize(
    "argument", ["--cg-thresholds=gone.yaml", "gone.yaml", "-ocompress_guard_thresholds=gone.yaml"]
)
def test_a_file_that_is_not_there(project, argument):
    run = project.run(argument)
    assert run.code == pytest.ExitCode.USAGE_ERROR
    assert "ERROR: gone.yaml: there is no such file; create it, or name another file with --cg-thresholds" in run.out


def test_the_file_is_named_from_rootdir(project):
    project.write("gates/release.yaml", "")
    run = project.run("--cg-thresholds=release.yaml", "--rootdir=..", "-c", "../pytest.ini", folder="gates")
    assert run.code == pytest.ExitCode.USAGE_ERROR
    assert run.out.strip().startswith("ERROR: gates/release.yaml:1: the file is empty; ")


@pytest.mark.parametrize(
    ("name", "why"),
    [
        (".", "{folder} is a folder; name a file"),
        (
            "toy.py/results.json",
            "{folder}/toy.py/results.json cannot be written: {folder}/toy.py is not a folder; name a file in a folder",
        ),
    ],
)
def test_a_results_file_that_cannot_be_written_is_said_before_anything_runs(project, name, why):
    run = project.run("--compress-guard", f"--cg-json={name}", gate=False)
    assert run.code == pytest.ExitCode.USAGE_ERROR
    assert run.out.strip() == f"ERROR: --cg-json: {why.format(folder=project.folder)}"


def test_a_results_file_that_fails_at_the_end_leaves_the_results_on_the_terminal(project):
    project.guard("max_drop: 100, limit: 2")
    project.write(
        "conftest.py",
        """
        import pathlib

        def pytest_runtestloop():
            pathlib.Path("late.json").mkdir()
        """,
    )
    run = project.run("--compress-guard", "--cg-json=late.json", gate=False)
    assert run.code == pytest.ExitCode.TESTS_FAILED
    assert run.outcomes == {"passed": 1}
    assert "toy: top1 100.0 on 2 clean images" in run.out
    assert (
        f"--cg-json: {project.folder}/late.json: results cannot be written (Is a directory); name a file in a folder "
        "that can be written" in run.out
    )
    assert "Traceback" not in run.out


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--cg-json=thresholds.yaml"], "thresholds.yaml would replace the thresholds file"),
        (["--cg-json=r.json", "--junitxml=r.json"], "r.json would replace the report of --junitxml"),
        (["--cg-json=r.json", "--junitxml=r.evidence.zip"], "r.json would replace the report of --junitxml"),
    ],
)
def test_results_replace_no_other_file_of_the_run(project, options, message):
    project.guard("max_drop: 100")
    before = (project.folder / "thresholds.yaml").read_bytes()
    run = project.run("--compress-guard", *options, gate=False)
    assert run.code == pytest.ExitCode.USAGE_ERROR
    assert f"--cg-json: {message}; name another file" in run.out.replace(f"{project.folder}/", "")
    assert (project.folder / "thresholds.yaml").read_bytes() == before


def test_the_command_replaces_no_thresholds_file_either(project, capsys):
    project.guard("max_drop: 100")
    before = (project.folder / "thresholds.yaml").read_bytes()
    with contextlib.chdir(project.folder):
        assert main(["run", "--json", "thresholds.yaml"]) == 4
    assert "--json: thresholds.yaml would replace the thresholds file; name another file" in capsys.readouterr().err
    assert (project.folder / "thresholds.yaml").read_bytes() == before
