"""A model on a data set: loaded late, read once, clean predictions made once."""

from __future__ import annotations

from typing import Any

import pytest

from compress_guard.engine.images.subsets import ReadingOptions
from compress_guard.engine.prediction.subject import Subject
from compress_guard.errors import DataError, ModelError


def silent(done, total):
    pass


class Loads:
    """Factories that count."""

    def __init__(self, model, data):
        self.model_loads = self.data_loads = 0
        self._model, self._data = model, data

    def model(self):
        self.model_loads += 1
        return self._model

    def data(self):
        self.data_loads += 1
        return self._data

    def subject(self, task="classification", shared=None):
        return Subject(task, self.model, self.data, ReadingOptions(0, shared=shared), device="cpu")


def test_nothing_is_loaded_before_it_is_needed(pictures, spectrum):
    loads = Loads(spectrum(), pictures(6))
    subject = loads.subject()
    assert (loads.model_loads, loads.data_loads) == (0, 0)
    subject.subset(None)
    assert loads.model_loads == 0
    subject.clean_evidence(None, silent)
    subject.clean_evidence(None, silent)
    assert loads.model_loads == 1


def test_clean_predictions_are_made_once_for_each_set_of_images(pictures, spectrum):
    subject = Loads(spectrum(4), pictures(10)).subject()
    told = []
    whole = subject.clean_evidence(None, lambda done, total: told.append((done, total)))
    assert told == [(4, 10), (8, 10), (10, 10)]
    assert subject.predictions == 10
    assert subject.clean_evidence(None, silent) is whole
    assert subject.clean_evidence(10, silent) is whole
    assert subject.clean_evidence(500, silent) is whole
    assert subject.predictions == 10
    some = subject.clean_evidence(3, silent)
    assert subject.predictions == 13
    assert len(some.ids) == 3
    assert set(some.ids) < set(whole.ids)


def test_a_limit_that_does_not_bind_is_the_whole_set(pictures, spectrum):
    subject = Loads(spectrum(), pictures(6)).subject()
    assert subject.subset(6) is subject.subset(None) is subject.subset(7)
    assert subject.subset(5) is not subject.subset(None)


def test_the_evidence_is_that_of_the_clean_images(pictures, spectrum):
    model, data = spectrum(4), pictures(10)
    evidence = Loads(model, data).subject().clean_evidence(None, silent)
    assert evidence.ids == tuple(name for _, _, name in data)
    for item, (image, label, _) in zip(evidence.items, data, strict=True):
        assert int(item["predicted"]) == int(model.scores(image).argmax())
        assert int(item["target"]) == label


def test_a_model_that_works_in_place_harms_no_later_cell(pictures, spectrum: Any, diary, make_guard, make_world):
    class Scribbler(spectrum):
        def __call__(self, images):
            answers = super().__call__(images)
            for image in images:
                image.fill_(0)
            return answers

    guard, data = make_guard(rates=(1.0, 2.0)), pictures(8)
    results = [
        {label: measured.result for label, measured in make_world(guard, model, data, folder=name).run().items()}
        for model, name in ((spectrum(), "a"), (Scribbler(), "b"))
    ]
    for label, result in results[0].items():
        assert (result.bpp_mean, result.score) == (results[1][label].bpp_mean, results[1][label].score)
    assert data[3][0].equal(pictures(8)[3][0])


def test_errors_of_factories_pass_through(pictures):
    def fails(error):
        def load():
            raise error("gone")

        return load

    with pytest.raises(DataError, match="^gone$"):
        Subject("classification", len, fails(DataError), ReadingOptions(0), device="cpu").subset(None)
    subject = Subject("classification", fails(ModelError), lambda: pictures(2), ReadingOptions(0), device="cpu")
    with pytest.raises(ModelError, match="^gone$"):
        subject.clean_evidence(None, silent)
    with pytest.raises(KeyError):
        Subject("tracking", len, list, ReadingOptions(0), device="cpu")


def test_two_processes_of_a_run_share_clean_predictions(pictures, spectrum, tmp_path):
    subjects = [Loads(spectrum(4), pictures(10)).subject(shared=(tmp_path, "toys")) for _ in range(2)]
    first, second = [subject.clean_evidence(None, silent) for subject in subjects]
    assert [subject.predictions for subject in subjects] == [10, 4]
    assert first.ids == second.ids
    assert all(one["predicted"] == other["predicted"] for one, other in zip(first.items, second.items, strict=True))


def test_another_subject_or_limit_has_a_file_of_its_own(pictures, spectrum, tmp_path):
    for name, limit in (("toys", None), ("others", None), ("toys", 5)):
        subject = Loads(spectrum(4), pictures(10)).subject(shared=(tmp_path, name))
        subject.clean_evidence(limit, silent)
        assert subject.predictions == (limit or 10)
