"""A run whose command line switches the gate on and that gates nothing is red, and says what to type."""

from __future__ import annotations

import pytest

NOTHING = "nothing was gated: no cell and no test with a fixture of the gate was collected"
LEFT_OUT = (
    f"{NOTHING}, and the paths given leave out thresholds.yaml; add --cg-thresholds=thresholds.yaml, or leave out "
    "--compress-guard"
)
INI = "addopts = -p no:cacheprovider --cg-device=cpu\npythonpath = ."
PLAIN = "def test_plain(): ...\n"
OWN = """
    import toy

    def test_own(guard):
        guard.check(toy.model(), toy.data(), task="classification", bpp=2.0, max_drop=100, limit=2)
"""
HELD = {"passed": 1}


@pytest.fixture
def small(project):
    """A project of two cells that hold, with a test beside them that has nothing to do with the gate."""
    project.guard("max_drop: 100, limit: 2", defaults="codecs: [jpeg], bpp: [1.0, 2.0]")
    project.write("tests/test_plain.py", PLAIN)
    project.write("pytest.ini", f"[pytest]\n{INI}\n")
    return project


def said(run):
    """Return the first line of the gate's section; None without a section."""
    lines = [line for line in run.out.splitlines() if line.strip()]
    starts = [number for number, line in enumerate(lines) if line.strip("= ") == "compress_guard"]
    assert len(starts) <= 1
    return lines[starts[0] + 1] if starts else None


@pytest.mark.parametrize(
    "arguments", ["tests", "tests/test_plain.py::test_plain", "tests -k nothing", "tests --setup-plan", "tests -n 1"]
)
def test_paths_that_leave_the_cells_out(small, arguments):
    run = small.run(*arguments.split())
    assert (run.code, said(run)) == (pytest.ExitCode.TESTS_FAILED, LEFT_OUT)


@pytest.mark.parametrize(
    "arguments", ["tests --collect-only", "tests --fixtures", "tests --fixtures-per-test", "--cache-show"]
)
def test_a_run_that_only_lists_is_as_it_was_and_leaves_the_results_file_alone(small, arguments):
    earlier = small.write("earlier.json", "{}")
    small.write("pytest.ini", "[pytest]\n")
    run = small.run("--compress-guard", "--cg-json=earlier.json", *arguments.split(), gate=False)
    assert (run.code, said(run), earlier.read_text()) == (0, None, "{}")


@pytest.mark.parametrize("arguments", ["--markers", "--help", "--version"])
def test_a_run_that_only_tells_is_as_it_was(small, arguments):
    assert small.run("--compress-guard", "tests", arguments, gate=False).code == 0


def test_a_list_or_a_plan_of_cells_says_nothing_of_results(small):
    for arguments in (["--collect-only", "-q"], ["--setup-plan"]):
        assert said(small.run(*arguments)) is None


def test_what_it_says_to_type_gates(small):
    run = small.run("tests", "--cg-thresholds=thresholds.yaml", "-p", "no:benchmark")
    assert (run.code, run.outcomes, len(run.cells)) == (0, {"passed": 3}, 2)


def test_errors_of_pytest_keep_their_exit_code(small):
    small.write("tests/test_broken.py", "import nowhere\n")
    assert small.run("tests").code == pytest.ExitCode.INTERRUPTED
    assert small.run("gone").code == pytest.ExitCode.USAGE_ERROR


@pytest.mark.parametrize("way", ["addopts", "environment"])
def test_an_editor_that_runs_single_tests_is_left_in_peace(small, monkeypatch, way):
    flag = "--compress-guard"
    if way == "addopts":
        small.write("pytest.ini", f"[pytest]\n{INI.replace('=', f'= {flag}', 1)}\n")
    else:
        monkeypatch.setenv("PYTEST_ADDOPTS", flag)
    run = small.run("tests/test_plain.py::test_plain", gate=False)
    assert (run.code, run.outcomes, said(run)) == (0, HELD, None)
    assert small.run("tests/test_plain.py::test_plain", flag, gate=False).code == pytest.ExitCode.TESTS_FAILED


@pytest.mark.parametrize(
    "test",
    [
        OWN,
        """
        import pytest

        @pytest.fixture(autouse=True)
        def measured(guard): ...

        def test_own(): ...
        """,
        """
        def test_own(request):
            request.getfixturevalue("guard")
        """,
        """
        import pytest

        @pytest.fixture
        def guard(guard):
            return guard

        def test_own(guard): ...
        """,
        """
        import pytest

        @pytest.mark.compress_guard(data="toy:data", codecs=["jpeg"], bpp=[2.0], limit=2)
        def test_own(compressed_batches): ...
        """,
        "def test_own(codec_throughput): ...",
    ],
    ids="guard autouse dynamic extended batches throughput".split(),
)
def test_a_suite_that_uses_a_fixture_needs_no_file(small, test):
    (small.folder / "thresholds.yaml").unlink()
    small.write("tests/test_own.py", test)
    for arguments in ([], ["tests"]):
        run = small.run(*arguments, "-W", "ignore")
        assert (run.code, run.outcomes) == (0, {"passed": 2}), run.out


def test_a_file_that_went_missing_is_told_beside_such_tests(small):
    (small.folder / "thresholds.yaml").unlink()
    small.write("tests/test_own.py", OWN)
    run = small.run()
    assert f"there is no thresholds.yaml in {small.folder}: only tests with a fixture of the gate were gated" in run.out
    assert "there is no" not in small.run("tests").out


@pytest.mark.parametrize(
    "test",
    [
        """
        import pytest

        @pytest.fixture
        def guard():
            return "of another trade"

        def test_own(guard): ...
        """,
        """
        import pytest

        @pytest.mark.parametrize("guard", ["of another trade"])
        def test_own(guard): ...
        """,
    ],
    ids=["fixture", "parameter"],
)
def test_a_fixture_of_ones_own_that_is_called_guard_gates_nothing(small, test):
    small.write("tests/test_own.py", test)
    run = small.run("tests")
    assert (run.code, said(run)) == (pytest.ExitCode.TESTS_FAILED, LEFT_OUT)


@pytest.mark.parametrize("arguments", [[], ["tests"]], ids=["", "tests"])
@pytest.mark.parametrize("typed", [True, False], ids=["typed", "addopts"])
def test_neither_a_file_nor_such_tests(small, arguments, typed):
    (small.folder / "thresholds.yaml").unlink()
    if not typed:
        small.write("pytest.ini", f"[pytest]\n{INI} \n".replace("=", "= --compress-guard", 1))
    run = small.run(*arguments, gate=typed)
    if not typed and "tests" in arguments:
        assert (run.code, said(run)) == (0, None)
        return
    assert run.code == pytest.ExitCode.TESTS_FAILED
    assert said(run) == (
        f"{NOTHING}, and there is no thresholds.yaml in {small.folder}; create it, name another file: "
        "--cg-thresholds=FILE, or leave out --compress-guard"
    )


def test_a_file_that_is_ignored(small):
    run = small.run("--ignore=thresholds.yaml")
    assert run.code == pytest.ExitCode.TESTS_FAILED
    assert said(run) == (
        f"{NOTHING}, and thresholds.yaml is ignored (--ignore, collect_ignore); let pytest collect it, or leave out "
        "--compress-guard"
    )
    small.write("pytest.ini", f"[pytest]\n{INI} \n".replace("=", "= --compress-guard", 1))
    assert small.run("--ignore=thresholds.yaml", gate=False).code == 0


# Deselected cells


@pytest.mark.parametrize(
    "arguments",
    [
        "-k plain",
        "-m 'not compress_guard'",
        "--deselect thresholds.yaml",
        "-n 2 -k plain",
    ],
)
@pytest.mark.parametrize("strict", [False, True], ids=["lax", "strict"])
def test_cells_that_were_all_deselected_are_counted_once(small, arguments, strict):
    given = [word.strip("'") for word in arguments.replace("not ", "not~").split()]
    run = small.run(*(word.replace("~", " ") for word in given), *(["--cg-strict"] if strict else []))
    told = "2 cells deselected: none was left to run (by -k, -m, --deselect, --lf or a conftest.py)"
    assert run.outcomes.pop("passed") == 1
    assert (run.code, said(run)) == (
        (1, f"{told}; --cg-strict fails such a run: select some of them") if strict else (0, told)
    )


def test_cells_that_lf_passes_over_are_counted(small):
    small.write("pytest.ini", "[pytest]\n")
    small.write("tests/test_plain.py", "def test_plain(): assert False\n")
    assert small.run("tests", "--cg-thresholds=thresholds.yaml").code == 1
    small.write("tests/test_plain.py", PLAIN)
    told = "2 cells deselected: none was left to run (by -k, -m, --deselect, --lf or a conftest.py)"
    for strict in (True, False):
        run = small.run("--lf", *(["--cg-strict"] if strict else []))
        assert (run.code, run.outcomes["passed"]) == (int(strict), 1)
        assert said(run).startswith(told)
        small.run("tests/test_plain.py", "--deselect=tests", gate=False)
        small.write("tests/test_plain.py", "def test_plain(): assert False\n")
        small.run("tests", gate=False)
        small.write("tests/test_plain.py", PLAIN)


def test_a_part_of_the_cells_is_a_choice(small):
    run = small.run("--cg-strict", "-k", "2.0bpp")
    assert (run.code, len(run.cells)) == (0, 1)
    assert "none was left to run" not in run.out


def test_tests_with_a_fixture_that_were_all_deselected(small):
    (small.folder / "thresholds.yaml").unlink()
    small.write("tests/test_own.py", OWN)
    lax, strict = small.run("tests", "-k", "plain"), small.run("tests", "-k", "plain", "--cg-strict")
    told = "1 test with a fixture of the gate deselected: none was left to run "
    told += "(by -k, -m, --deselect, --lf or a conftest.py)"
    assert (lax.code, said(lax)) == (0, told)
    assert (strict.code, said(strict)) == (1, f"{told}; --cg-strict fails such a run: select some of them")


def test_throughput_cells_count(small):
    run = small.run("--cg-strict", "--cg-benchmark", "-k", "throughput and jpeg-2.0bpp and decode", "--cg-limit=2")
    assert run.code == 0
    assert "none was left to run" not in run.out


def test_a_file_that_is_ignored_beside_tests_with_a_fixture(small):
    small.write("tests/test_own.py", OWN)
    lax, strict = small.run("--ignore=thresholds.yaml"), small.run("--ignore=thresholds.yaml", "--cg-strict")
    told = "thresholds.yaml is ignored (--ignore, collect_ignore): only tests with a fixture of the gate were gated"
    assert (lax.code, strict.code) == (0, 1)
    assert lax.out.splitlines().count(told) == 1
    assert f"{told}; --cg-strict fails such a run: let pytest collect it" in strict.out


def test_tests_with_a_fixture_that_were_all_skipped(small):
    small.write("tests/test_own.py", "import pytest\n\n@pytest.mark.skip\ndef test_own(guard): ...\n")
    lax, strict = small.run("tests"), small.run("tests", "--cg-strict")
    told = "nothing was gated: no cell was selected, and 1 test with a fixture of the gate did not use it"
    assert (lax.code, said(lax)) == (0, told)
    assert (strict.code, said(strict)) == (1, f"{told}; --cg-strict fails such a run: let one of them run")
    assert small.run("tests", "--cg-strict", "--setup-plan").code == 0


@pytest.mark.parametrize("way", ["addopts", "environment"])
def test_paths_that_nobody_typed_leave_no_cell_out(small, monkeypatch, way):
    if way == "addopts":
        small.write("pytest.ini", f"[pytest]\n{INI.replace('addopts =', 'addopts = --compress-guard tests')}\n")
    else:
        monkeypatch.setenv("PYTEST_ADDOPTS", "--compress-guard tests")
    assert small.run("--cg-json=results.json", gate=False).outcomes == {"passed": 3}
    assert small.run("tests/test_plain.py", gate=False).outcomes == {"passed": 1}
