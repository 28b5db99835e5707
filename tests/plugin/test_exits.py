"""People's code that exits, or raises what nobody catches: the cells concerned are errors, all others are judged."""

from __future__ import annotations

import pytest

# Whoever distributes these tests: many of them look at one run.
pytestmark = pytest.mark.xdist_group("plugin-exits")

CODE = """
    import asyncio
    import sys
    import pytest
    import toy

    class Own(BaseException):
        pass

    class Speechless(Exception):
        def __str__(self):
            raise SystemExit(0)

    def leave(): sys.exit(0)
    def interrupt(): raise KeyboardInterrupt
    def close(): raise GeneratorExit
    def cancel(): raise asyncio.CancelledError
    def own(): raise Own("no licence")
    def silent(): raise Speechless
    def skip(): pytest.skip("no camera here")
    def stop(): pytest.exit("enough")
    def run_out(): return next(iter(()))
    def deep(): return deep()

    class Data:
        def __init__(self, item=None, length=None, id=None, target=None):
            self.pictures = toy.data()[:8]
            self.item, self.length, self.id, self.target = item, length, id, target
        def __len__(self):
            if self.length:
                self.length()
            return len(self.pictures)
        def __getitem__(self, index):
            if self.item and index == 5:
                self.item()
            picture, label, name = self.pictures[index]
            return picture, Lazy(self.target) if self.target else label, Id(self.id) if self.id else name

    class Id:
        def __init__(self, deed): self.deed = deed
        def __str__(self): return self.deed()

    class Lazy(dict):
        def __init__(self, deed): self.deed = deed
        def __iter__(self): return self.deed()
        def __contains__(self, key): return self.deed()
        def __len__(self): return self.deed()

    class Model(toy.Spectrum):
        def __init__(self, deed): self.deed = deed
        def __call__(self, images): return self.deed()

    class Answer:
        def __init__(self, deed): self.deed = deed
        def __len__(self): return self.deed()

    class Sized(toy.Spectrum):
        @property
        def batch_size(self): return leave()

    def slicer(target, name): leave()
    def sized(): return Sized()
    def answer(): return lambda images: Answer(leave)

    DEEDS = [leave, interrupt, close, cancel, own, silent, skip, stop, run_out, deep]
    for deed in DEEDS:
        name = deed.__name__
        globals()[f"item_{name}"] = lambda deed=deed: Data(item=deed)
        globals()[f"model_{name}"] = lambda deed=deed: Model(deed)
        globals()[f"factory_{name}"] = lambda deed=deed: deed()
    def length(): return Data(length=leave)
    def id(): return Data(id=leave)
    def target(): return Data(target=leave)
    def fine(): return Data()
"""

DEEDS = {
    "leave": "SystemExit: 0",
    "interrupt": "KeyboardInterrupt",
    "close": "GeneratorExit",
    "cancel": "CancelledError",
    "own": "Own: no licence",
    "silent": "Speechless: its text cannot be read",
    "skip": "Skipped: no camera here",
    "stop": "Exit: enough",
    "run_out": "StopIteration",
    "deep": "RecursionError: maximum recursion depth exceeded",
}
PLAIN = ("silent", "stop", "run_out", "deep")
"""Deeds that raise an `Exception`: one image's trouble, where an exit is the data set's."""


def guard(**keys: str) -> str:
    own = {"data": "exits:fine", "max_drop": "100", **keys}
    return ", ".join(
        f'{key}: "{value}"' if ":" in value and "{" not in value else f"{key}: {value}" for key, value in own.items()
    )


def item_reason(deed: str) -> str:
    text = DEEDS[deed]
    if deed in PLAIN:
        return f"1 of 8 images failed, allowed by max_error_share 0: 0; the first: sample 5 cannot be read ({text})"
    return f"sample 5: the data raised {text}; expected an image, or a plain exception"


CASES = {
    **{f"item_{deed}": ({"data": f"exits:item_{deed}"}, item_reason(deed)) for deed in DEEDS},
    **{f"model_{deed}": ({"model": f"exits:model_{deed}"}, f"the model raised {text}") for deed, text in DEEDS.items()},
    **{
        f"factory_{deed}": (
            {"data": f"exits:factory_{deed}"},
            f"exits:factory_{deed}: raised {text}; expected it to return an object",
        )
        for deed, text in DEEDS.items()
    },
    "slicer": (
        {"slices": "{s: exits:slicer}"},
        "sample 0 (id texture-000): slices s: exits:slicer raised SystemExit: 0; expected a text, a number, None "
        "(in no slice) or a list of these",
    ),
    "length": ({"data": "exits:length"}, "exits:length: len() of it raised SystemExit: 0; expected its images"),
    "id": (
        {"data": "exits:id"},
        "none of the 8 samples can be used; the first: sample 0: its id cannot be read as text (SystemExit: 0); "
        "expected a text or a number",
    ),
    "target": (
        {"data": "exits:target"},
        "sample 0 (id texture-000): the data raised SystemExit: 0; expected an image, or a plain exception",
    ),
    "batch_size": (
        {"model": "exits:sized"},
        "the model's batch_size raised SystemExit: 0; expected a whole number of at least 1",
    ),
    "answer": (
        {"model": "exits:answer"},
        "the model's answer, an Answer, raised SystemExit: 0 when it was read",
    ),
}
"""Keys of a guard, and the reason of its cell."""


@pytest.fixture(scope="module")
def broken(new_project):
    """A project of guards that all exit, with one among them that does not."""
    project = new_project()
    project.write("exits.py", CODE)
    guards = {name: guard(**keys) for name, (keys, _) in CASES.items()}
    names = list(guards)
    project.guards({**{name: guards[name] for name in names[:10]}, "fine": guard(), **guards})
    return project


@pytest.fixture(scope="module")
def run(broken):
    return broken.run("-p", "no:randomly")


@pytest.mark.parametrize("name", CASES)
def test_whatever_exits_is_the_verdict_of_its_own_cell(run, name):
    cell = run.cells[f"{name}[jpeg-0.5bpp]"]
    assert (cell["verdict"], cell["outcome"]) == ("error", "failed")
    assert cell["reason"] == CASES[name][1]
    assert run.junit[f"{name}[jpeg-0.5bpp]"].is_passed is False


def test_the_others_are_judged_and_the_run_is_red(run):
    assert run.cells["fine[jpeg-0.5bpp]"]["verdict"] == "pass"
    assert run.code == 1
    assert len(run.cells) == len(CASES) + 1
    assert run.outcomes == {"failed": len(CASES), "passed": 1}


@pytest.mark.slow
@pytest.mark.parametrize("how", [("-n", "2"), ("-n", "2", "-W", "error")])
def test_workers_of_xdist_say_the_same(broken, run, how):
    other = broken.fork(*how)
    assert {name: (cell["verdict"], cell["reason"]) for name, cell in other.cells.items()} == {
        name: (cell["verdict"], cell["reason"]) for name, cell in run.cells.items()
    }
    assert other.code == 1


def test_code_of_our_own_that_fails_says_so_with_its_traceback(project, monkeypatch):
    from compress_guard.engine.coding.planned import PlannedCodec

    def broken(*_):
        raise AttributeError("nobody thought of this")

    monkeypatch.setattr(PlannedCodec, "plan", broken)
    project.guards({"first": "max_drop: 100", "second": "max_drop: 100"})
    run = project.run()
    assert [cell["verdict"] for cell in run.cells.values()] == ["error", "error"]
    assert "raised AttributeError: nobody thought of this" in run.out
    assert "Traceback (most recent call last)" in run.out
    assert run.code == 1


FIXTURES = """
    import sys
    import pytest
    import toy

    @pytest.fixture(scope="session")
    def skips(): pytest.skip("no camera here")
    @pytest.fixture(scope="session")
    def fails(): pytest.fail("no camera there")
    @pytest.fixture(scope="session")
    def expects(): pytest.xfail("known")
    @pytest.fixture(scope="session")
    def leaves(): sys.exit(0)
    @pytest.fixture(scope="session")
    def interrupts(): raise KeyboardInterrupt
    @pytest.fixture(scope="session")
    def stops(): pytest.exit("no more", returncode=7)
"""


def test_what_a_fixture_decides_keeps_pytest_s_meaning_and_what_it_raises_is_an_error(project):
    project.write("conftest.py", FIXTURES)
    names = ("skips", "fails", "expects", "leaves", "interrupts")
    project.guards({name: f'data: "fixture:{name}", max_drop: 100' for name in names} | {"fine": "max_drop: 100"})
    run = project.run("-rA")
    assert run.outcomes == {"skipped": 1, "failed": 3, "xfailed": 1, "passed": 1}
    assert "no camera here" in run.out
    assert "no camera there" in run.out
    assert {name: cell["reason"] for name, cell in run.cells.items() if cell["verdict"] == "error"} == {
        "leaves[jpeg-0.5bpp]": "fixture:leaves: raised SystemExit: 0; expected it to return an object",
        "interrupts[jpeg-0.5bpp]": "fixture:interrupts: raised KeyboardInterrupt; expected it to return an object",
    }
    assert run.cells["fine[jpeg-0.5bpp]"]["verdict"] == "pass"
    assert run.code == 1


def test_a_fixture_may_end_the_run(project):
    project.write("conftest.py", FIXTURES)
    project.guards({"stops": 'data: "fixture:stops", max_drop: 100', "fine": "max_drop: 100"})
    run = project.run()
    assert run.code == 7
    assert "no more" in run.out


OWN_TESTS = """
    import pytest
    import exits
    import toy

    def test_checks(guard):
        guard.check(toy.model(), exits.item_leave(), task="classification", bpp=0.5, max_drop=100)

    def test_measures(guard):
        with pytest.raises(Exception, match="sample 5: the data raised KeyboardInterrupt"):
            guard.measure(toy.model(), exits.item_interrupt(), task="classification", bpp=0.5)

    @pytest.mark.compress_guard(codecs=["jpeg"], bpp=[0.5], data="exits:item_interrupt")
    def test_batches(compressed_batches):
        list(compressed_batches)

    @pytest.mark.compress_guard(codecs=["jpeg"], bpp=[0.5], data="exits:factory_interrupt")
    def test_factory(compressed_batches):
        list(compressed_batches)

    @pytest.mark.compress_guard(codecs=["jpeg"], bpp=[0.5], data="exits:fine")
    def test_of_its_own_accord(compressed_batches):
        with pytest.raises(GeneratorExit):
            for batch in compressed_batches:
                raise GeneratorExit

    def test_later():
        pass
"""


def test_people_s_own_tests_meet_an_error_instead_of_an_exit(project):
    project.write("exits.py", CODE)
    project.write("test_own.py", OWN_TESTS)
    run = project.run("test_own.py")
    assert run.outcomes == {"failed": 3, "passed": 3}
    assert {name: cell["verdict"] for name, cell in run.cells.items()} == {"test_checks::jpeg-0.5bpp": "error"}
    for said in (
        "sample 5: the data raised SystemExit: 0",
        "sample 5: the data raised KeyboardInterrupt; expected an image, or a plain exception",
        "exits:factory_interrupt: raised KeyboardInterrupt; expected it to return an object",
    ):
        assert said in run.out
