"""`measure`, throughput cells and recovery with user code that exits: one error, and only Ctrl-C ends the program."""

from __future__ import annotations

import sys

import pytest
import torch

from compress_guard.engine.single_cell import measure
from compress_guard.engine.throughput.cells import contest_of
from compress_guard.errors import DataError, Fault, ModelError


def picture(index: int) -> torch.Tensor:
    return torch.randint(0, 256, (3, 64, 64), generator=torch.Generator().manual_seed(index), dtype=torch.uint8)


class Data:
    """Eight pictures; exits when its item number `item` is read, or when it is asked for its length so often."""

    def __init__(self, item: int | None = None, asked: int = 10**9, exits=sys.exit) -> None:
        self.item, self.asked, self.exits = item, asked, exits

    def __len__(self) -> int:
        self.asked -= 1
        if self.asked < 0:
            self.exits(0)
        return 8

    def __getitem__(self, index: int):
        if index == self.item:
            self.exits(0)
        return picture(index), index % 2


def model(images):
    return [torch.tensor([1.0, 0.0]) for _ in images]


def measured(data, predict=model, **wanted):
    return measure(predict, data, task="classification", bpp=4.0, device="cpu", workers=1, **wanted)


def interrupt(*_):
    raise KeyboardInterrupt


@pytest.mark.parametrize(("exits", "said"), [(sys.exit, "SystemExit: 0"), (interrupt, "KeyboardInterrupt")])
def test_data_and_models_that_exit_are_errors(exits, said):
    with pytest.raises(DataError, match=f"^sample 5: the data raised {said}; expected an image, or a plain exception$"):
        measured(Data(5, exits=exits))
    with pytest.raises(ModelError, match=f"^the model raised {said}$"):
        measured(Data(), lambda images: exits(0))


def test_an_exit_where_nobody_expects_one_names_the_line():
    with pytest.raises(
        Fault, match=r"^test_exits\.py:\d+ \(__len__\) raised SystemExit: 0; expected code that returns$"
    ):
        measured(Data(asked=1))


def test_an_exit_is_no_failure_of_one_image_that_could_be_left_out():
    with pytest.raises(DataError, match="sample 5"):
        measured(Data(5), max_error_share=0.5)

    def breaks(_):
        raise OSError("no such file")

    assert measured(Data(5, exits=breaks), max_error_share=0.5).errors == 1


@pytest.mark.parametrize("exits", [sys.exit, interrupt])
def test_a_throughput_cell_of_images_that_exit_is_an_error(exits):
    class Images:
        def __len__(self) -> int:
            return 1

        def __iter__(self):
            yield Exits()

    class Exits:
        def __getattribute__(self, name: str):
            exits(0)

    contest = contest_of(Images(), rounds=3, device="cpu")
    result = contest.run()
    assert (result.verdict, result.outcome) == ("error", "failed")
    assert result.reason.startswith("sample 0")
