"""Surveys of some of the usable images of a survey."""

from __future__ import annotations

from dataclasses import fields

from compress_guard.engine.images.survey.record import Survey

OF_ALL_SAMPLES = {"failures"}
"""Fields that do not have one entry for each usable sample."""
OF_EACH = [each.name for each in fields(Survey) if each.type.startswith("tuple[") and each.name not in OF_ALL_SAMPLES]


def test_a_choice_of_images_takes_every_fact_of_theirs() -> None:
    whole = Survey(**{name: tuple(f"{name} {at}" for at in range(4)) for name in OF_EACH}, failures=(("4", "broken"),))
    chosen = whole.only([0, 2])
    assert {name: getattr(chosen, name) for name in OF_EACH} == {name: (f"{name} 0", f"{name} 2") for name in OF_EACH}
    assert chosen.failures == whole.failures


def test_a_fact_that_no_image_has_stays_empty() -> None:
    whole = Survey(**dict.fromkeys(OF_EACH, ()), failures=())
    assert whole.only([]) == whole
