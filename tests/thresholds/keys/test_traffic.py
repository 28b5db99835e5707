"""`traffic`: the share of production that each cell of a guard stands for."""

from __future__ import annotations

import pytest

from compress_guard.errors import ThresholdsError
from compress_guard.registry import CODECS

GUARD = ("codecs: [jpeg, avif]", "bpp: {jpeg: [0.25, 0.5], avif: [1]}")


def shares(guard):
    return {cell.name: cell.traffic for cell in guard.cells}


def test_shares_by_codec_and_point(guard):
    assert shares(guard(*GUARD, "traffic: {jpeg: {0.25: 0.5, 0.50: 0.2}, avif: {1: 0.3}}")) == {
        "photos[jpeg-0.25bpp]": 0.5,
        "photos[jpeg-0.5bpp]": 0.2,
        "photos[avif-1.0bpp]": 0.3,
    }


def test_a_codec_of_one_cell_takes_its_share_without_a_point(guard):
    found = shares(guard(*GUARD, "traffic: {avif: 0.3}"))
    assert found == {"photos[jpeg-0.25bpp]": None, "photos[jpeg-0.5bpp]": None, "photos[avif-1.0bpp]": 0.3}


def test_guards_without_the_key_have_no_shares(guard):
    assert set(shares(guard(*GUARD)).values()) == {None}


@pytest.mark.parametrize("total", ["0.5, 0.5: 0.5", "0.504, 0.5: 0.501", "1"])
def test_shares_of_the_whole_and_rounded_ones(guard, total):
    assert sum(share or 0 for share in shares(guard(*GUARD, f"traffic: {{jpeg: {{0.25: {total}}}}}")).values()) <= 1.005


@pytest.mark.parametrize(
    ("text", "found"),
    [
        (
            "0.4",
            "photos: traffic must be a map from codecs to shares, found 0.4; write e.g. {jpeg: {q75: 0.4, q90: 0.3}, "
            "webp: {0.5: 0.3}}",
        ),
        (
            "{}",
            "photos: traffic must be a map from codecs to shares, found an empty map; write e.g. {jpeg: {q75: 0.4, "
            "q90: 0.3}, webp: {0.5: 0.3}}",
        ),
        (
            "{jpg: {0.5: 1}}",
            "photos: traffic: unknown codec 'jpg', did you mean 'jpeg'? known: avif, jpeg; name a codec of this guard",
        ),
        (
            "{jpeg: 0.4}",
            "photos: traffic gives jpeg one share, and the guard has 2 cells of it; give a share for each: 0.25, 0.5",
        ),
        ("{jpeg: {}}", "photos: the traffic of jpeg is an empty map; give shares of 0.25, 0.5"),
        (
            "{jpeg: {0.4: 1}}",
            "photos: traffic names jpeg 0.4 bpp, which is no cell of this guard; it has 0.25, 0.5 of jpeg: name one of "
            "them, or add the cell",
        ),
        (
            "{jpeg: {q75: 1}}",
            "photos: traffic names jpeg q75, which is no cell of this guard; it has 0.25, 0.5 of jpeg: name one of "
            "them, or add the cell",
        ),
        (
            "{jpeg: {low: 1}}",
            "photos: traffic of jpeg names 'low', which is no operating point; write a rate in bpp such as 0.5, or a "
            "quality such as q75",
        ),
        (
            "{jpeg: {0.5: 0}}",
            "photos: the share of jpeg 0.5 bpp in traffic is 0, outside 0 to 1 (0 excluded); use a number in that "
            "range",
        ),
        (
            "{jpeg: {0.5: -0.1}}",
            "photos: the share of jpeg 0.5 bpp in traffic is -0.1, outside 0 to 1 (0 excluded); use a number in that "
            "range",
        ),
        (
            "{jpeg: {0.5: 40}}",
            "photos: the share of jpeg 0.5 bpp in traffic is 40, outside 0 to 1 (0 excluded); use a number in that "
            "range",
        ),
        (
            "{jpeg: {0.5: .nan}}",
            "photos: the share of jpeg 0.5 bpp in traffic is .nan, outside 0 to 1 (0 excluded); use a number in that "
            "range",
        ),
        (
            "{jpeg: {0.5: many}}",
            "photos: the share of jpeg 0.5 bpp in traffic must be a number, found 'many'; write a number from 0 to 1 "
            "(0 excluded)",
        ),
        (
            "{jpeg: {0.5: 0.6, 0.25: 0.5}}",
            "photos: the shares of traffic add up to 1.1; give shares of all traffic, which add up to 1 at most",
        ),
    ],
)
def test_shares_that_make_no_sense(guard_refusal, text, found):
    message = guard_refusal(*GUARD, f"traffic: {text}")
    assert message.partition(": ")[2] == found
    assert message.endswith(found)
    assert ":9: " in message


STEPS = "codecs: {upload: {type: pipeline, steps: [{jpeg: {quality: 60}}]}}\n"


@pytest.mark.parametrize("given", ["{0.5: 0.4}", "{}"])
def test_a_pipeline_of_one_cell_takes_its_share_alone(guard, given, monkeypatch):
    monkeypatch.delitem(CODECS._found, "jpeg")  # a pipeline builds its steps, which stand-ins do not allow
    assert shares(guard("codecs: [upload]", "traffic: {upload: 0.4}", before=STEPS)) == {"photos[upload]": 0.4}
    with pytest.raises(ThresholdsError) as caught:
        guard("codecs: [upload]", f"traffic: {{upload: {given}}}", before=STEPS)
    assert str(caught.value).partition(": ")[2] == (
        "photos: traffic gives upload a map of shares, and upload is one cell without rate or quality; write its share "
        "alone, such as upload: 0.4"
    )


def test_qualities_in_any_form_that_node_ids_print(guard):
    command = "codecs: {own: {type: command, encoder: 'e {input} {output} {setting}', decoder: 'd {input} {output}', "
    found = guard(
        "codecs: [own]",
        "quality: [-2.5, 1.0e-5]",
        "max_drop: {q-2.5: 3, q1e-05: 4}",
        "traffic: {own: {q-2.5: 0.1, q1e-05: 0.2}}",
        before=command + "settings: [1.0e-5, -2.5]}}\n",
    )
    assert {cell.label: (cell.max_drop, cell.traffic) for cell in found.cells} == {
        "own-q-2.5": (3, 0.1),
        "own-q1e-05": (4, 0.2),
    }


def test_defaults_have_no_traffic(refusal):
    text = (
        "version: 1\ndefaults: {traffic: {jpeg: 1}}\nguards: {photos: {task: classification, model: m:f, data: d:f}}\n"
    )
    assert "traffic is no key of defaults; move it into each guard that needs it" in refusal(text)


def test_cells_that_compare_decoders_have_no_share_of_their_own(guard):
    found = shares(guard("codecs: [jpeg]", "bpp: [0.5]", "decoders: [pillow, opencv]", "traffic: {jpeg: 0.3}"))
    assert found == {"photos[jpeg-0.5bpp]": 0.3, "photos[jpeg-0.5bpp-opencv]": None}
