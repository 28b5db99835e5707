"""Python in README.md and docs runs as it stands there, or says why it does not; thresholds files load."""

from __future__ import annotations

import io
import re
import warnings
from collections.abc import Callable, Iterator
from contextlib import redirect_stdout
from pathlib import Path
from typing import Any, Final

import numpy as np
import pytest
import torch
import yaml
from PIL import Image

from tests.plugin.pages.test_walks import HOW_TOS

ROOT: Final = Path(__file__).parents[2]
PAGES: Final = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").rglob("*.md"))]

RUN_ELSEWHERE: Final = {
    **{f"docs/howto/{name}": "tests/plugin/pages/test_walks.py" for name in HOW_TOS},
    "docs/tutorial/own-model.md": "tests/plugin/pages/test_walks.py",
    "docs/howto/batches.md": "tests/plugin/fixtures/test_batches_page.py",
    "docs/howto/extending.md": "tests/plugin/test_extending_page.py",
    "docs/howto/throughput.md": "tests/plugin/test_pages.py",
    "docs/howto/transforms.md": "tests/repository/test_transforms_page.py",
}
"""Pages whose blocks another module of tests runs, all of them."""
RUN_IN_A_PROJECT: Final = "def test_survives_jpeg"
"""Beginning of the block of docs/howto/python.md that tests/plugin/test_pages.py runs."""
BLOCK: Final = re.compile(
    r"(?:^<!-- not run: (?P<reason>.+) -->\n)?^```python\n(?P<code>.*?)^```$", re.MULTILINE | re.DOTALL
)


def blocks() -> Iterator[tuple[str, str]]:
    """Yield page and code of every block that is to run here."""
    for path in PAGES:
        page = path.relative_to(ROOT).as_posix()
        for found in BLOCK.finditer(path.read_text(encoding="utf-8")):
            if page not in RUN_ELSEWHERE and not found["reason"] and not found["code"].startswith(RUN_IN_A_PROJECT):
                yield page, found["code"]


def pictures(count: int = 6, side: int = 64) -> list[torch.Tensor]:
    generator = torch.Generator().manual_seed(0)
    waves = torch.rand(count, 3, 8, 8, generator=generator)
    large = torch.nn.functional.interpolate(waves, (side, side), mode="bicubic") * 255
    return list(large.clamp(0, 255).to(torch.uint8))


def classes() -> torch.nn.Sequential:
    return torch.nn.Sequential(torch.nn.AdaptiveAvgPool2d(4), torch.nn.Flatten(), torch.nn.Linear(48, 3))


def release(code: str, folder: Path, patch: pytest.MonkeyPatch) -> None:
    """The factories of README.md, with weights that need no network."""
    import torchvision
    from torchvision.models._api import WeightsEnum

    for label in "ab":
        (folder / "val" / label).mkdir(parents=True)
        Image.fromarray(np.zeros((40, 40, 3), np.uint8)).save(folder / "val" / label / "picture.png")
    weights = torchvision.models.resnet50().state_dict()
    patch.setattr(WeightsEnum, "get_state_dict", lambda *_, **__: weights)
    names = run(code)
    image, target = names["validation"]()[1]
    assert target == 1
    (scores,) = names["classifier"]()([torch.from_numpy(np.array(image)).permute(2, 0, 1)])
    assert scores.shape == (1000,)


def without_pytest(code: str, folder: Path, patch: pytest.MonkeyPatch) -> None:
    patch.chdir(folder)
    images = pictures(8, side=160)
    truth = {"boxes": torch.tensor([[8.0, 8.0, 40.0, 40.0]]), "labels": torch.tensor([1])}

    def model(batch: list[torch.Tensor]) -> list[dict[str, torch.Tensor]]:
        return [{**truth, "scores": torch.tensor([0.9])} for _ in batch]

    with redirect_stdout(io.StringIO()) as out:
        names = run(code, images=images, model=model, data=[(image, truth) for image in images])
    assert abs(float(np.mean(names["small"].bpp)) / 0.25 - 1) < 0.2
    assert [line.split()[0] for line in out.getvalue().splitlines()] == ["100.0", "0.25", "0.5", "1.0"]


def two_releases(code: str, folder: Path, patch: pytest.MonkeyPatch) -> None:
    """The block of docs/howto/releases.md, with two models of which the later one is as good."""
    images = pictures(8, side=160)
    for number, image in enumerate(images):
        image[number % 3] //= 2

    def model(batch: list[torch.Tensor]) -> list[torch.Tensor]:
        return [-image.float().mean((1, 2)) for image in batch]

    names = {"model": model, "new_model": model, "data": list(zip(images, [0, 1, 2] * 3, strict=False))}
    with redirect_stdout(io.StringIO()) as out:
        run(code, **names)
    assert out.getvalue().startswith("fell by 0.0 points (-")


def one_call(code: str, folder: Path, patch: pytest.MonkeyPatch) -> None:
    """A line of docs/howto/models.md, with a module, weights and a processor that fit it."""
    from torchvision.transforms import v2

    class Weights:
        transforms = staticmethod(lambda: v2.ToDtype(torch.float32, scale=True))

    class Module(torch.nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.inner = classes()

        def forward(self, batch: torch.Tensor) -> Any:
            scores = self.inner(batch)
            return {"logits_per_image": scores} if "logits_per_image" in code else scores

    def processor(image: torch.Tensor, return_tensors: str) -> dict[str, torch.Tensor]:
        assert return_tensors == "pt"
        return {"pixel_values": image[None].float() / 255}

    from compress_guard import predictor

    made = eval(code, {"predictor": predictor, "module": Module(), "weights": Weights, "processor": processor})
    assert [scores.shape for scores in made(pictures(2))] == [(3,), (3,)]


def trainer(code: str, folder: Path, patch: pytest.MonkeyPatch) -> None:
    seen: list[tuple[int, int]] = []
    batches = [(pictures(3), [0, 1, 2])] * 4
    module = classes()
    before = [weights.detach().clone() for weights in module.parameters()]
    trained = run(code)["finetune"](
        module,
        batches,
        4,
        preprocess=lambda image: image.float() / 255,
        seed=0,
        checkpoint=None,
        progress=lambda step, steps, loss: seen.append((step, steps)),
    )
    assert seen == [(1, 4), (2, 4), (3, 4), (4, 4)]
    assert not any(map(torch.equal, trained.parameters(), before))


def named(code: str, folder: Path, patch: pytest.MonkeyPatch) -> None:
    from compress_guard.engine.images.naming.names import Known, Names

    products = run(code)["Products"]([(picture, 1) for picture in pictures(6)])
    names = Names.of(products, "classification", {"last": Known(5, b"", "")})
    assert (names.image("last"), names.classes, names.remark) == ("camera 1, picture 1", {1: "bottle", 2: "can"}, None)


def drawn(code: str, folder: Path, patch: pytest.MonkeyPatch) -> None:
    patch.chdir(folder)
    run(code)["test_sizes_survive"]()


HOW: Final[dict[tuple[str, str], Callable[[str, Path, pytest.MonkeyPatch], None]]] = {
    ("README.md", "import torchvision"): release,
    ("docs/howto/python.md", "from compress_guard import compress, measure"): without_pytest,
    ("docs/howto/models.md", "predictor("): one_call,
    ("docs/howto/models.md", "class Products"): named,
    ("docs/howto/recovery.md", "import torch\n\n\ndef finetune"): trainer,
    ("docs/reference/api.md", "from hypothesis"): drawn,
    ("docs/howto/releases.md", "from compress_guard import measure"): two_releases,
}
"""Functions that run a block, by its page and beginning."""


def run(code: str, **names: Any) -> dict[str, Any]:
    exec(compile(code, "a block of code", "exec"), names)
    return names


@pytest.mark.parametrize(
    ("page", "code"), [pytest.param(*each, id=f"{each[0]}-{number}") for number, each in enumerate(blocks())]
)
def test_a_block_runs(page: str, code: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    ways = [way for (where, begins), way in HOW.items() if where == page and code.startswith(begins)]
    assert ways, (
        f"{page} has a block of Python that no test runs; add it to HOW or RUN_ELSEWHERE in {Path(__file__).name}, "
        "or write <!-- not run: REASON --> on the line above it"
    )
    monkeypatch.chdir(tmp_path)
    torch.manual_seed(0)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        ways[0](code, tmp_path, monkeypatch)


def test_every_way_has_its_block() -> None:
    found = list(blocks())
    idle = [key for key in HOW if not any(page == key[0] and code.startswith(key[1]) for page, code in found)]
    assert idle == []
    for page, module in RUN_ELSEWHERE.items():
        assert Path(page).name in (ROOT / module).read_text(encoding="utf-8"), module
    assert f"```python\n{RUN_IN_A_PROJECT}" in (ROOT / "docs" / "howto" / "python.md").read_text(encoding="utf-8")


def test_code_that_is_not_run_is_recognised_with_its_reason() -> None:
    (found,) = BLOCK.finditer("text\n<!-- not run: needs a GPU -->\n```python\nx\n```\n")
    assert (found["reason"], found["code"]) == ("needs a GPU", "x\n")


NEEDED: Final = {"task": "classification", "model": "mine:model", "data": "mine:data", "max_drop": 5}
"""Keys that a guard needs, for pages that show only the keys that they explain."""


WITH_NAMES_OF_ITS_OWN: Final = ROOT / "docs" / "howto" / "extending.md"
"""A page whose file names what its Python registers; tests/plugin/test_extending_page.py runs both."""


def thresholds_files() -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield page and content of every block of YAML that is a thresholds file or a part of one."""
    for path in (page for page in PAGES if page != WITH_NAMES_OF_ITS_OWN):
        for code in re.findall(r"^```yaml\n(.*?)^```$", path.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL):
            content = yaml.safe_load(code)
            if isinstance(content, dict) and set(content) & {"guards", "defaults", "codecs"}:
                yield path.relative_to(ROOT).as_posix(), content


@pytest.mark.parametrize(
    ("page", "content"),
    [pytest.param(*each, id=f"{each[0]}-{number}") for number, each in enumerate(thresholds_files())],
)
def test_a_thresholds_file_loads(page: str, content: dict[str, Any], tmp_path: Path) -> None:
    from compress_guard.thresholds import load

    guards = content.get("guards") or {"photos": {}}
    whole = {"version": 1, **content, "guards": {name: {**NEEDED, **keys} for name, keys in guards.items()}}
    file = tmp_path / "thresholds.yaml"
    file.write_text(yaml.safe_dump(whole, sort_keys=False), encoding="utf-8")
    assert [guard.name for guard in load(file).guards] == list(guards)
