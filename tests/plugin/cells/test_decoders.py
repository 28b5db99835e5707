"""Cells that compare decoders, through pytest: ids, selection, workers, and the same results by every way in."""

from __future__ import annotations

import pytest

WORK = {"seconds", "encodes", "predictions", "id"}
TWO = "codecs: [jpeg], quality: [75, 20], bpp: null, decoders: [pillow, opencv, torchvision], max_decoder_drop: 40"
IMAGES = 32


def figures(cells):
    return {name: {key: value for key, value in cell.items() if key not in WORK} for name, cell in cells.items()}


def test_ids_and_selection(project):
    project.guard(f"max_drop: 80, {TWO}")
    assert project.run("--collect-only", "-q").collected == [
        f"thresholds.yaml::toy[jpeg-q{quality}{behind}]"
        for quality in (20, 75)
        for behind in ("", "-opencv", "-torchvision")
    ]
    run = project.run("-k", "opencv")
    assert run.code == 0
    assert list(run.cells) == ["toy[jpeg-q20-opencv]", "toy[jpeg-q75-opencv]"]


def test_nothing_is_encoded_for_a_further_decoder(project):
    project.guard(f"max_drop: 80, {TWO}")
    run = project.run()
    assert run.code == 0
    assert {name: cell["encodes"] for name, cell in run.cells.items()} == {
        f"toy[jpeg-q{quality}{behind}]": 0.0 if behind else 1.0
        for quality in (20, 75)
        for behind in ("", "-opencv", "-torchvision")
    }
    compared = [cell for cell in run.cells.values() if cell["first_decoder"]]
    assert {cell["predictions"] for cell in compared[:-1]} == {IMAGES}
    assert {cell["verdict"] for cell in compared} == {"pass"}
    assert "jpeg by opencv" in run.out
    assert "drop from pillow / allowed drop" in run.out


def test_selection_and_workers_change_no_result(project):
    pytest.importorskip("xdist")
    project.guard(f"max_drop: 80, {TWO}")
    whole = figures(project.run("--cg-no-cache").cells)
    shared = figures(project.run("--cg-no-cache", "-n2").cells)
    alone = figures(project.run("--cg-no-cache", "-k", "opencv and q20").cells)
    assert shared == whole
    assert alone == {name: whole[name] for name in ("toy[jpeg-q20-opencv]",)}


def test_a_selection_without_a_limit_between_decoders_gates_nothing(project):
    project.guard("max_drop: 80, codecs: [jpeg], quality: [75], bpp: null, decoders: [pillow, opencv]")
    assert project.run().code == 0
    run = project.run("-k", "opencv")
    assert run.code == 1
    assert "toy gates nothing: none of its 1 cell was judged" in run.out


def test_the_fixture_takes_decoders(project):
    project.write(
        "test_ours.py",
        """
        from toy import data, model

        def test_ours(guard):
            result = guard.check(
                model(), data(), task="classification", codec="jpeg", bpp=1.0,
                decoders=["pillow", "opencv"], max_decoder_drop=30,
            )
            assert (result.decoder_drop, result.first_decoder) == (0, "pillow")
        """,
    )
    run = project.run("test_ours.py")
    assert run.code == 0, run.out


def test_what_a_pipeline_delivers_by_every_way_in(project):
    pytest.importorskip("xdist")
    upload = "{type: pipeline, steps: [{resize: {shortest: 66}}, {jpeg: {quality: 80}}]}"
    project.guard(
        "max_drop: 100, codecs: [upload], bpp: null, decoders: [pillow, opencv], max_decoder_drop: 40",
        head=f"codecs: {{upload: {upload}}}",
    )
    run = project.run("--cg-no-cache")
    assert run.code == 0, run.out
    assert list(run.cells) == ["toy[upload]", "toy[upload-opencv]"]
    plain, other = run.cells.values()
    assert (plain["encodes"], other["encodes"], other["decoder_drop"]) == (1.0, 0.0, 0.0)
    whole = figures(run.cells)
    assert figures(project.run("--cg-no-cache", "-n2").cells) == whole
    alone = figures(project.run("--cg-no-cache", "-k", "opencv").cells)
    assert alone == {"toy[upload-opencv]": whole["toy[upload-opencv]"]}
