"""A study of a model that knows nothing: training can bring back only a drop that a codec caused."""

from __future__ import annotations

import pytest

from compress_guard.records import Cell, CodecSpec, Rate

MORE = """
    def many():
        return [(picture(at), at % 2, f"e{at}") for at in range(40)]

    def constant():
        network = made(Network, "classification")
        network.module.head.weight.data.zero_()
        network.module.head.bias.data.copy_(torch.tensor([1.0, 0.0]))
        return network
"""


@pytest.fixture
def constant(tiny):
    """The result of a study of a model that always gives the same answer, on 40 images."""
    path = tiny.folder / f"{tiny.name}.py"
    path.write_text(path.read_text() + "\n".join(line.removeprefix("    ") for line in MORE.splitlines()) + "\n")

    def run(min_clean=None, data="M:many"):
        cell = Cell("toys", CodecSpec("jpeg", "jpeg"), Rate(3.0), 5.0, None, None, 1, min_clean=min_clean)
        recovery = tiny.recovery(seeds=(0,), trainer="M:look")
        return tiny.only(recovery, model="M:constant", data=data, cells=(cell,)).result

    return run


def test_a_model_that_knows_nothing_is_refused_before_anything_is_trained(constant):
    result = constant()
    assert (result.verdict, result.outcome, result.trained) == ("error", "failed", 0)
    assert result.reason.startswith(
        "clean top1 50.0 on 40 images; the model answered label 0 alone, the truth has 0 to 1: the model knows nothing"
    )
    assert result.points == ()


def test_so_is_one_below_its_clean_floor(constant):
    result = constant(min_clean=90.0)
    assert (result.verdict, result.trained) == ("error", 0)
    assert result.reason == (
        "top1: the clean score of 50.0 (95 % interval 34.9 to 65.1) has to reach 90.0; mend the model before its drop "
        "is studied, or lower min_clean"
    )


@pytest.mark.parametrize("floor", [0.0, 40.0])
def test_it_is_studied_where_the_file_says_so(constant, floor):
    result = constant(min_clean=floor)
    assert (result.verdict, result.trained) != ("error", 0), result.reason


def test_few_images_cannot_tell(constant):
    assert constant(data="M:data").trained > 0
