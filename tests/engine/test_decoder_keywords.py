"""`measure(decoders=...)`: by one decoder, or one compared with another, and what is refused."""

from __future__ import annotations

import pytest

import compress_guard
from compress_guard.errors import OptionError


@pytest.fixture
def measured(pictures, spectrum):
    def run(**wanted):
        wanted = {"task": "classification", "codec": "jpeg", "bpp": 1.3, "device": "cpu", "workers": 1, **wanted}
        return compress_guard.measure(spectrum(), pictures(12), **wanted)

    return run


def test_by_one_decoder(measured):
    own, other = measured(max_drop=100.0), measured(max_drop=100.0, decoders=["torchvision"])
    assert (own.decoder, other.decoder, other.first_decoder) == (None, "torchvision", None)
    assert other.decoder_version.startswith("torchvision ")
    # Both are libjpeg-turbo.
    assert (other.score, other.drop, other.verdict, other.psnr_mean) == (own.score, own.drop, "pass", own.psnr_mean)


def test_one_decoder_compared_with_another(measured):
    result = measured(decoders=["pillow", "opencv"], max_decoder_drop=40.0)
    assert (result.id, result.decoder, result.first_decoder) == ("measure[jpeg-1.3bpp-opencv]", "opencv", "pillow")
    assert (result.decoder_drop, result.decoder_difference_max, result.max_decoder_drop) == (0, 0, 40.0)
    assert result.verdict == "pass"
    assert measured(decoders=["pillow", "opencv"]).verdict == "unjudged"


def test_at_several_rates_with_one_search(measured):
    results = measured(bpp=[1.3, 2.0], decoders=["pillow", "opencv"], max_decoder_drop=40.0)
    assert [result.id for result in results] == ["measure[jpeg-1.3bpp-opencv]", "measure[jpeg-2.0bpp-opencv]"]
    assert {result.decoder_drop for result in results} == {0}


@pytest.mark.parametrize(
    ("wanted", "message"),
    [
        ({"decoders": "opencv"}, "decoders is 'opencv'; expected a list of one decoder, or of two that are compared"),
        ({"decoders": []}, "decoders is []; expected a list of one decoder, or of two that are compared"),
        (
            {"decoders": ["pillow", "opencv", "torchvision"]},
            "decoders is ['pillow', 'opencv', 'torchvision']; expected a list of one decoder, or of two that are "
            "compared",
        ),
        (
            {"decoders": ["opencvs"]},
            "unknown decoder 'opencvs', did you mean 'opencv'? known: nvjpeg, opencv, pillow, torchcodec, torchvision",
        ),
        ({"decoders": ["opencv", "opencv"]}, "the decoder 'opencv' is given twice; give two that differ"),
        (
            {"decoders": ["torchvision"], "codec": "avif"},
            "the decoder torchvision does not decode avif, only jpeg, webp",
        ),
        (
            {"max_decoder_drop": 1},
            "max_decoder_drop compares two decoders; give decoders=[FIRST, OTHER] too, or leave it out",
        ),
        (
            {"decoders": ["opencv"], "max_decoder_drop": 1},
            "max_decoder_drop compares two decoders; give decoders=[FIRST, OTHER] too, or leave it out",
        ),
        (
            {"decoders": ["pillow", "opencv"], "max_drop": 1},
            "a comparison of decoders is judged by max_decoder_drop alone; leave the other limits out",
        ),
        (
            {"decoders": ["pillow", "opencv"], "max_decoder_drop": 101},
            "max_decoder_drop 101 is outside 0 to 100; give it in points",
        ),
    ],
)
def test_what_is_refused(measured, wanted, message):
    with pytest.raises(OptionError) as caught:
        measured(**wanted)
    assert str(caught.value) == message


def test_a_limit_that_looks_like_a_share_is_a_warning(measured):
    with pytest.warns(UserWarning, match=r"^max_decoder_drop is 0\.05 points and looks like a share"):
        measured(decoders=["pillow", "opencv"], max_decoder_drop=0.05)


@pytest.fixture
def delivered(pictures, spectrum):
    """Measure what a pipeline of fixed steps delivers."""

    def run(**wanted):
        steps = [{"jpeg": {"quality": 85}}, {"webp": {"quality": 75}}]
        return compress_guard.measure(
            spectrum(),
            pictures(12),
            task="classification",
            codec="pipeline",
            options={"steps": steps},
            device="cpu",
            workers=1,
            **wanted,
        )

    return run


def test_what_a_pipeline_delivers(delivered):
    own = delivered()
    result = delivered(decoders=["pillow", "opencv"], max_decoder_drop=40.0)
    assert (result.id, result.verdict) == ("measure[pipeline-opencv]", "pass")
    assert (result.decoder_drop, result.decoder_difference_max, result.score) == (0, 0, own.score)
    assert delivered(decoders=["opencv"]).score == own.score


def test_a_decoder_that_does_not_read_what_a_pipeline_delivers(delivered):
    with pytest.raises(OptionError) as caught:
        delivered(decoders=["nvjpeg"])
    assert str(caught.value) == "the decoder nvjpeg does not decode webp, only jpeg"
