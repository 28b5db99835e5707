"""Factories that are mistyped, told when the file is loaded, without importing or running anything."""

from __future__ import annotations

import subprocess
import sys

import pytest

from compress_guard.errors import ThresholdsError
from compress_guard.thresholds import load, parse

MODELS = """
import torch.nothing_of_this_name
raise RuntimeError("this runs nowhere")

def classifier(): ...

class Detector: ...

def _hidden(): ...
"""
FILE = """
version: 1
defaults: {{codecs: [jpeg], bpp: [1]}}
guards:
  photos:
    task: classification
    model: {model}
    data: {data}
"""


@pytest.fixture
def project(tmp_path):
    """Writes sources; returns what loading a file with this model says, None where it says nothing."""

    def attempt(model="zoo.models:classifier", data="d:f", more="", **sources):
        for name, text in sources.items():
            path = tmp_path.joinpath(*name.split("__IN__")).with_suffix(".py")
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)
        (tmp_path / "thresholds.yaml").write_text(FILE.format(model=model, data=data).lstrip() + more)
        try:
            load(tmp_path / "thresholds.yaml")
        except ThresholdsError as problem:
            return str(problem)
        return None

    return attempt


def test_a_mistyped_name_gets_its_near_match(project):
    assert project("zoo.models:clasifier", zoo__IN__models=MODELS) == (
        "thresholds.yaml:6: photos: model zoo.models:clasifier: zoo/models.py has no clasifier; did you mean "
        "zoo.models:classifier?"
    )
    assert project("zoo.models:detector").endswith("zoo/models.py has no detector; did you mean zoo.models:Detector?")
    # What is near to nothing is an error of the run, as whatever does not import.
    assert project("zoo.models:transformer") is None
    for name in ("classifier", "Detector", "_hidden", "torch"):
        assert project(f"zoo.models:{name}") is None


def test_a_module_in_a_package_and_the_package_itself(project):
    sources = {"zoo__IN____init__": "def best(): ...\n", "zoo__IN__models": MODELS}
    assert project("zoo.models:clasifier", **sources).endswith("did you mean zoo.models:classifier?")
    assert project("zoo:bets").endswith("zoo/__init__.py has no bets; did you mean zoo:best?")
    assert project("zoo:best") is None
    assert project("zoo:models") is None


def test_every_factory_of_a_file_is_looked_at(project):
    more = """    slices: {weather: "m:weatherx", size: {by: "m:sizex"}}
    max_drop: 5
    recovery: {train: "m:trainx", trainer: "m:trainerx"}
"""
    text = "def weather(): ...\ndef size(): ...\ndef train(): ...\ndef trainer(): ...\ndef data(): ...\n"
    assert "6: photos: model m:dat: m.py has no dat; did you mean m:data?" in project("m:dat", more=more, m=text)
    assert "7: photos: data m:dta: m.py has no dta; did you mean m:data?" in project(data="m:dta", more=more)
    wrong = project(more=more)
    assert "8: photos: by m:weatherx: m.py has no weatherx; did you mean m:weather?" in wrong
    more = more.replace("weatherx", "weather")
    assert "8: photos: by m:sizex: m.py has no sizex; did you mean m:size?" in project(more=more)
    more = more.replace("sizex", "size")
    assert "10: photos: train m:trainx: m.py has no trainx; did you mean m:train" in project(more=more)
    more = more.replace("trainx", "train")
    assert "10: photos: trainer m:trainerx: m.py has no trainerx; did you mean m:trainer?" in project(more=more)
    assert project(more=more.replace("trainerx", "trainer")) is None
    assert project("fixture:modl") is None


def test_training_data_of_the_defaults(tmp_path):
    (tmp_path / "m.py").write_text("def train(): ...\n")
    file = FILE.format(model="a:b", data="c:d").replace("bpp: [1]", "bpp: [1], recovery: {train: 'm:trainx'}")
    (tmp_path / "thresholds.yaml").write_text(file.lstrip())
    with pytest.raises(
        ThresholdsError, match=r"^thresholds.yaml:2: defaults: train m:trainx: m.py has no trainx; did "
    ):
        load(tmp_path / "thresholds.yaml")


def test_methods_that_are_called_eval_or_modules_hide_nothing(project):
    text = "def model():\n    network = net().eval()\n    list(network.modules())\n    return network\n"
    assert str(project("zoo:modle", zoo=text)).endswith("zoo.py has no modle; did you mean zoo:model?")


CERTAIN_OF_NOTHING = {
    "a star import": "from somewhere import *\n",
    "a star import in a branch": "try:\n    from somewhere import *\nexcept ImportError:\n    pass\n",
    "getattr": "def __getattr__(name): ...\n",
    "globals": "for name in ('model',):\n    globals()[name] = print\n",
    "setattr": "import sys\nsetattr(sys.modules[__name__], 'model', print)\n",
    "another module in its place": "import sys\nsys.modules[__name__] = object()\n",
    "exec": "exec('model = print')\n",
    "no syntax": "def model(:\n",
    "a global of a function": "def register():\n    global model\n    model = print\nregister()\n",
    "an assignment in a branch": "if False:\n    model = print\n",
    "a loop": "for model in (print,): pass\n",
    "a with": "with open('x') as model: pass\n",
    "a starred target": "first, *model = 1, 2\n",
    "an import": "from somewhere import factory as model\n",
    "an import of a package": "import model.parts\n",
    "an except": "try:\n    pass\nexcept OSError as model:\n    pass\n",
    "a match": "match 1:\n    case {'a': 1, **model}: pass\n",
    "a capture": "match 1:\n    case [*model]: pass\n",
    "a walrus": "print(model := 3)\n",
    "a default": "def other(x=(model := 3)): ...\n",
    "a class": "class model: ...\n",
    "async": "async def model(): ...\n",
}


@pytest.mark.parametrize("name", CERTAIN_OF_NOTHING)
@pytest.mark.filterwarnings("error")
def test_what_the_source_does_not_rule_out_is_left_to_the_run(project, name):
    assert project("m:model", m=CERTAIN_OF_NOTHING[name]) is None


@pytest.mark.parametrize(
    "text",
    [
        "def outer():\n    def model(): ...\n",
        "class Zoo:\n    def model(self): ...\n    model = 3\n",
        "from somewhere import model as other\n",
        "def outer(model): ...\n",
        "outer = lambda: [model for model in ()]\n",
        "pattern = '\\d'\nif __name__ == '__main__':\n    pass\n",
    ],
)
@pytest.mark.filterwarnings("error")
def test_names_of_inner_scopes_are_no_factories(project, text):
    assert "m.py has no model" in project("m:model", m=text + "def models(): ...\n")


def test_modules_that_are_not_surely_there_are_left_to_the_run(project, tmp_path):
    assert project("absent.models:clasifier") is None
    assert project("zoo.modelsx:classifier", zoo__IN__models=MODELS) is None
    assert project("json:loadsx") is None
    assert project("sys:exitx") is None
    (tmp_path / "zoo" / f"models{__import__('importlib').machinery.EXTENSION_SUFFIXES[0]}").write_bytes(b"")
    assert project("zoo.models:clasifier") is None


def test_a_package_that_looks_elsewhere_is_left_to_the_run(project):
    sources = {"zoo__IN____init__": "__path__.append('elsewhere')\n", "zoo__IN__models": MODELS}
    assert project("zoo.models:clasifier", **sources) is None


def test_a_module_that_is_imported_already_is_the_one_that_counts(project, tmp_path, monkeypatch):
    assert "has no bets" in project("of_this_test:bets", of_this_test="def best(): ...\n")
    elsewhere = type(sys)("of_this_test")
    elsewhere.__file__ = str(tmp_path / "of_this_test.py")
    monkeypatch.setitem(sys.modules, "of_this_test", elsewhere)
    assert "has no bets" in project("of_this_test:bets")
    elsewhere.bets = print
    assert project("of_this_test:bets") is None


def test_the_folder_of_the_file_comes_before_the_path(project, tmp_path, monkeypatch):
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "elsewhere" / "on_the_path.py").write_text("def classifier(): ...\n")
    assert project("on_the_path:clasifier") is None
    monkeypatch.syspath_prepend(tmp_path / "elsewhere")
    assert "elsewhere/on_the_path.py has no clasifier" in project("on_the_path:clasifier")
    assert project("on_the_path:clasifier", on_the_path="def clasifier(): ...\n") is None


def test_nothing_is_imported_for_it(project, tmp_path):
    sources = {"zoo__IN____init__": "import torch\nraise SystemExit\n", "zoo__IN__models": MODELS}
    assert project("zoo.models:clasifier", **sources) is not None
    program = (
        "import sys; from pathlib import Path; from compress_guard.thresholds import load\n"
        f"try: load(Path({str(tmp_path / 'thresholds.yaml')!r}))\n"
        "except Exception as problem: print(type(problem).__name__)\n"
        "print(sorted({'torch', 'PIL', 'zoo'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines() == ["ThresholdsError", "[]"]


def test_a_file_that_another_process_has_looked_through_is_taken_as_it_is(project, tmp_path):
    assert project("m:modl", m="def model(): ...\n") is not None
    path = tmp_path / "thresholds.yaml"
    found = parse(path.read_text(), path, shown=path.name, folder=tmp_path, sources=False)
    assert [guard.model for guard in found.guards] == ["m:modl"]
