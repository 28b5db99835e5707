"""``compress-guard report`` and ``run --html``: files are made, bad input is one sentence, nothing else is replaced."""

from __future__ import annotations

import json

import pytest

from compress_guard.cli.arguments import command_line


@pytest.fixture
def results(command, guards):
    guards("codecs: [jpeg], bpp: [0.5]", toy="max_drop: 1")
    assert command("run", "--json=results.json", "--html=run.html", "--images=kept").code == 1


def test_the_page_of_a_run_is_that_of_its_results_file(command, folder, results):
    done = command("report", "results.json", "--images=kept", "--html=out/file.html", "--markdown=out/file.md")
    assert (done.code, done.out, done.err) == (0, "", "")
    page = (folder / "out" / "file.html").read_text()
    assert page == (folder / "run.html").read_text()
    reason = json.loads((folder / "results.json").read_text())["cells"][0]["reason"]
    assert reason in page
    assert page.count("data:image/webp;base64,") == len(list((folder / "kept").glob("*.webp"))) > 0
    assert (folder / "out" / "file.md").read_text().startswith("## compress\\_guard: 1 of 1 cell failed\n")


def test_without_a_file_it_shows_the_tables_of_the_run(command, guards, results):
    def without_commands(out):
        return [line for line in out.splitlines() if not line.startswith("    rerun: ")]

    assert without_commands(command("report", "results.json").out) == without_commands(command("run", "--no-cache").out)


def test_a_page_of_an_earlier_run_is_set_aside(command, folder, results):
    first = (folder / "run.html").read_text()
    command("run", "--html=run.html")
    assert (folder / "run.html.previous").read_text() == first


def test_a_badge_says_how_the_run_ended(command, folder, results):
    assert command("report", "results.json", "--badge=out/badge.svg").code == 0
    assert (
        "<title>compression: failed 1 of 1, worst toy[jpeg-0.5bpp]</title>"
        in (folder / "out" / "badge.svg").read_text()
    )


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["report", "results.json", "--badge=results.json"], "--badge: results.json would replace the results"),
        (["report", "results.json", "--html=results.json"], "--html: results.json would replace the results"),
        (
            ["report", "results.json", "--html=results.evidence.zip"],
            "--html: results.evidence.zip would replace their evidence",
        ),
        (["report", "results.json", "--html=a", "--markdown=a"], "--markdown: a would replace the file of --html"),
        (["run", "--html=thresholds.yaml"], "--html: thresholds.yaml would replace the thresholds file"),
        (["run", "--json=a.json", "--html=a.json"], "--html: a.json would replace the file of --json"),
        (
            ["run", "--json=a.json", "--html=a.evidence.zip"],
            "--html: a.evidence.zip would replace the evidence of --json",
        ),
    ],
)
def test_a_report_replaces_no_other_file(command, folder, results, arguments, message):
    before = {path.name: path.read_bytes() for path in folder.iterdir() if path.is_file()}
    done = command(*arguments)
    assert (done.code, done.err) == (4, f"compress-guard: {message}; name another file\n")
    assert {path.name: path.read_bytes() for path in folder.iterdir() if path.is_file()} == before


def test_a_folder_of_pictures_that_is_not_there_is_refused(command, results):
    done = command("report", "results.json", "--images=nowhere", "--html=file.html")
    assert (done.code, done.err) == (
        4,
        "compress-guard: --images: nowhere is not a folder; name the folder of --cg-images\n",
    )


def test_a_report_that_cannot_be_written_at_the_end_fails(command, folder, guards):
    guards(toy='model: "late:model", max_drop: 100, limit: 2')
    (folder / "late.py").write_text(
        "import pathlib, toy\n\ndef model():\n    pathlib.Path('late.html').mkdir()\n    return toy.model()\n"
    )
    done = command("run", "--html=late.html")
    assert done.code == 1
    assert "late.html: the report cannot be written (Is a directory); name a file in a folder" in done.err


def test_the_page_of_merged_results_shows_the_pictures_of_every_job(command, folder, guards):
    guards("codecs: [jpeg], bpp: [0.5]", toy="max_drop: 1", two="max_drop: 1")
    for shard in "12":
        command("run", f"--shard={shard}/2", f"--json={shard}.json", f"--images=kept{shard}")
    assert command("merge", "1.json", "2.json", "--out=all.json").code == 1
    counts = [len(list((folder / f"kept{shard}").glob("*.webp"))) for shard in "12"]
    assert all(counts)
    done = command("report", "all.json", "--images=kept1", "--images=kept2", "--html=all.html")
    assert (done.code, done.err) == (0, "")
    assert (folder / "all.html").read_text().count("data:image/webp;base64,") == sum(counts)


@pytest.mark.parametrize("name", ["report", "diff", "merge"])
def test_the_help_has_an_example_that_makes_sense(command, name):
    shown = " ".join(command(name, "--help").out.split())
    example = shown.partition("Example: compress-guard ")[2].split()
    assert example[0] == name
    options = command_line().parse_args(example)
    assert options.command == name
