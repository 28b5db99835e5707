"""``--cg-html``: one page for the whole run, with and without workers; one that cannot be written fails the run."""

from __future__ import annotations

import pytest

from compress_guard.cli import main

DEFAULTS = "codecs: [jpeg, webp], bpp: [0.5, 2.0]"


@pytest.fixture
def page(project):
    return project.folder / "reports" / "page.html"


def test_the_page_has_every_cell(project, page):
    project.guard("max_drop: {0.5: 1, 2.0: 100}", defaults=DEFAULTS)
    run = project.run("--cg-html=reports/page.html")
    text = page.read_text()
    assert run.code == 1
    assert f"<h1>{sum(cell['outcome'] == 'failed' for cell in run.cells.values())} of 4 cells failed</h1>" in text
    for cell in run.cells.values():
        assert cell["id"] in text
        assert cell["reason"] in text


def test_workers_write_the_same_page(project, page):
    pytest.importorskip("xdist")
    project.guard("max_drop: 100", defaults=DEFAULTS)
    project.run("--cg-html=reports/page.html")
    alone = page.read_text()
    assert project.fork("-n2", "-p", "xdist", "--cg-html=reports/page.html").code == 0
    assert page.read_text().count("<tr") == alone.count("<tr")
    assert "All is well: 4 cells, none failed" in page.read_text()


def test_a_page_that_cannot_be_written_fails_the_run(project):
    project.guard("max_drop: 100, limit: 2")
    project.write("conftest.py", "import pathlib\n\ndef pytest_runtestloop():\n    pathlib.Path('late.html').mkdir()\n")
    run = project.run("--cg-html=late.html")
    assert run.code == pytest.ExitCode.TESTS_FAILED
    assert f"--cg-html: {project.folder}/late.html: the report cannot be written (Is a directory); name" in run.out


@pytest.mark.parametrize(
    ("option", "message"),
    [
        ("--cg-html=thresholds.yaml", "thresholds.yaml would replace the thresholds file"),
        ("--cg-html=junit.xml", "junit.xml would replace the report of --junitxml"),
        ("--cg-html=results.json", "results.json would replace the results of --cg-json"),
        ("--cg-html=results.evidence.zip", "results.evidence.zip would replace their evidence"),
    ],
)
def test_a_page_replaces_no_other_file(project, option, message):
    project.guard("max_drop: 100")
    run = project.run(option)
    assert run.code == pytest.ExitCode.USAGE_ERROR
    assert f"--cg-html: {message}; name another file" in run.out.replace(f"{project.folder}/", "")


def test_a_page_beside_results_of_the_same_name_is_allowed(project):
    project.guard("max_drop: 100, limit: 2")
    assert project.run("--cg-html=results.html").code == 0


def test_a_page_of_an_earlier_run_is_set_aside(project, page):
    project.guard("max_drop: 100, limit: 2")
    project.write("reports/page.html", "earlier")
    project.run("--cg-html=reports/page.html")
    assert page.with_name("page.html.previous").read_text() == "earlier"


def test_the_page_shows_the_worst_images_and_no_verdict_depends_on_them(project, page):
    project.guard("max_drop: 1")
    plain = project.run()
    assert not list(project.folder.rglob("*.webp"))
    run = project.run("--cg-html=reports/page.html")
    assert page.read_text().count("data:image/webp;base64,") == 3 * min(3, len(plain.cell["worst"])) > 0
    assert not list(project.folder.rglob("*.webp"))
    same = {"verdict", "drop", "drop_low", "drop_high", "score", "worst", "settings"}
    assert {key: run.cell[key] for key in same} == {key: plain.cell[key] for key in same}
    images = min(3, len(plain.cell["worst"]))
    assert run.cell["predictions"] == plain.cell["predictions"] + 2 * images


def test_kept_pictures_serve_a_later_report(project):
    project.guard("max_drop: 1")
    run = project.run("--cg-images=kept")
    files = [path.name for path in (project.folder / "kept").iterdir()]
    assert len([name for name in files if name.endswith(".webp")]) == 3 * min(3, len(run.cell["worst"]))
    results, kept, target = (project.folder / name for name in ("results.json", "kept", "later.html"))
    assert main(["report", str(results), "--images", str(kept), "--html", str(target)]) == 0
    assert target.read_text().count("data:image/webp;base64,") == len(files) - 1
    assert main(["report", str(results), "--html", str(target)]) == 0
    assert "data:image/webp" not in target.read_text()


def test_a_model_that_fails_when_it_is_asked_again_leaves_the_cell_without_pictures(project, page):
    project.guard('model: "once:model", max_drop: 1')
    project.write(
        "once.py",
        """
        import toy

        class Model:
            batch_size = 4

            def __init__(self):
                self.model = toy.model()

            def __call__(self, images):
                if len(images) < 4:
                    raise ValueError("not so few")
                return self.model(images)

        def model():
            return Model()
        """,
    )
    run = project.run("--cg-html=reports/page.html")
    assert run.cell["verdict"] == "fail"
    assert "data:image/webp" not in page.read_text()


def test_a_folder_of_pictures_that_is_a_file_is_refused(project):
    project.guard("max_drop: 100")
    run = project.run("--cg-images=toy.py")
    assert run.code == pytest.ExitCode.USAGE_ERROR
    assert run.out.strip() == f"ERROR: --cg-images: {project.folder}/toy.py is not a folder; name a folder"
