"""Codecs whose name carries options: ``zoo:MODEL`` and ``compressai:PATH?arch=...``, wherever a codec is named."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from compress_guard.errors import OptionError
from compress_guard.records import CodecSpec
from compress_guard.registry import CODECS, codec_named

MODELS = (
    "bmshj2018-factorized, bmshj2018-hyperprior, bmshj2018-hyperprior-vbr, cheng2020-anchor, cheng2020-attn, mbt2018, "
    "mbt2018-mean, mbt2018-mean-vbr, mbt2018-vbr"
)


@pytest.mark.parametrize(
    ("text", "kind", "options"),
    [
        ("jpeg", "jpeg", {}),
        ("neural", "neural", {}),
        ("zoo:mbt2018-mean", "zoo", {"model": "mbt2018-mean"}),
        ("zoo:?model=mbt2018", "zoo", {"model": "mbt2018"}),
        (
            "zoo:mbt2018-mean?metric=ms-ssim&bits=coded&levels=1..4&download=true",
            "zoo",
            {"model": "mbt2018-mean", "metric": "ms-ssim", "bits": "coded", "levels": "1..4", "download": True},
        ),
        (
            "compressai:w/a.pth,w/b.pth?arch=mbt2018-mean&N=128&M=192",
            "compressai",
            {"path": "w/a.pth,w/b.pth", "arch": "mbt2018-mean", "N": 128, "M": 192},
        ),
        ("zoo:mbt2018?weights=https://host:80/a", "zoo", {"model": "mbt2018", "weights": "https://host:80/a"}),
    ],
)
def test_a_name_is_a_codec_with_options(text, kind, options) -> None:
    assert codec_named(text) == CodecSpec(text, kind, tuple(sorted(options.items())))


@settings(deadline=None)
@given(st.text(max_size=30))
def test_a_text_without_colon_is_its_own_type(text: str) -> None:
    if ":" not in text:
        assert codec_named(text) == CodecSpec(text, text)


@settings(deadline=None)
@given(st.text(alphabet="zoo:compressai?=&abc1,./ [", max_size=30))
def test_any_text_is_read_or_refused(text: str) -> None:
    try:
        spec = codec_named(text)
    except OptionError:
        return
    assert spec.alias == text
    assert ":" not in text or spec.type in CODECS


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (
            "zo:mbt2018",
            f"unknown codec 'zo', did you mean 'zoo'? known: {', '.join(sorted(CODECS))}",
        ),
        ("neural:x", "the codec 'neural:x': neural takes no text after a colon; options go under codecs"),
        (
            "jpeg:?progressive=true",
            "the codec 'jpeg:?progressive=true': jpeg takes no text after a colon; options go under codecs",
        ),
        (
            "zoo:mbt2018?metric",
            "'metric' in the codec 'zoo:mbt2018?metric' is no option; write name=value, with & between options",
        ),
        (
            "zoo:mbt2018?bits=coded&bits=auto",
            "the codec 'zoo:mbt2018?bits=coded&bits=auto' says bits twice; keep one of them",
        ),
        (
            "compressai:my weights.pth?arch=mbt2018",
            "the codec 'compressai:my weights.pth?arch=mbt2018' has characters that node ids cannot contain; "
            "give it a name of its own under codecs, with type: compressai and path",
        ),
    ],
)
def test_names_without_sense_are_refused(text, message) -> None:
    with pytest.raises(OptionError) as caught:
        codec_named(text)
    assert str(caught.value) == message


@pytest.mark.parametrize("text", ["zoo:a::b", "zoo:a[1]", "zoo:a\nb", "compressai:ü.pth"[:12] + "[", "zoo:a b"])
def test_what_node_ids_cannot_carry_is_no_name(text) -> None:
    with pytest.raises(OptionError, match="has characters that node ids cannot contain"):
        codec_named(text)


def test_a_list_of_codecs_takes_names_with_options(guard) -> None:
    found = guard('codecs: [jpeg, zoo:mbt2018-mean, "zoo:mbt2018?metric=ms-ssim"]', "bpp: [0.25, 1]")
    assert [cell.name for cell in found.cells] == [
        "photos[jpeg-0.25bpp]",
        "photos[jpeg-1.0bpp]",
        "photos[zoo:mbt2018-mean-0.25bpp]",
        "photos[zoo:mbt2018-mean-1.0bpp]",
        "photos[zoo:mbt2018?metric=ms-ssim-0.25bpp]",
        "photos[zoo:mbt2018?metric=ms-ssim-1.0bpp]",
    ]
    assert all(cell.name.rpartition("-")[2] in ("0.25bpp]", "1.0bpp]") for cell in found.cells)
    assert found.cells[2].codec == CodecSpec("zoo:mbt2018-mean", "zoo", (("model", "mbt2018-mean"),))


def test_per_codec_maps_take_them_too(guard) -> None:
    found = guard(
        "codecs: [jpeg, zoo:mbt2018-mean]",
        "bpp: {zoo:mbt2018-mean: [0.5], default: [1]}",
        "limit: {zoo:mbt2018-mean: 10, default: 20}",
        "max_drop:",
        "  zoo:mbt2018-mean: {0.5: 7}",
        "  default: 3",
    )
    assert [(cell.codec.alias, cell.bpp, cell.limit, cell.max_drop) for cell in found.cells] == [
        ("jpeg", 1.0, 20, 3.0),
        ("zoo:mbt2018-mean", 0.5, 10, 7.0),
    ]


def test_a_name_of_ones_own_with_options(guard) -> None:
    codecs = (
        "codecs:\n"
        "  one: {type: zoo, model: mbt2018-mean, metric: ms-ssim, bits: estimated, levels: [1, 2]}\n"
        "  two: {type: zoo:mbt2018-mean, metric: ms-ssim, bits: estimated, levels: [1, 2]}\n"
        '  three: {type: "zoo:mbt2018-mean?metric=ms-ssim", levels: [1, 2], bits: estimated}\n'
        "  own: {type: compressai, path: [a.pth, b.pth], arch: mbt2018-mean}\n"
    )
    found = guard("codecs: [one, two, three, own]", "bpp: [1]", before=codecs)
    one, two, three, own = (cell.codec for cell in found.cells)
    assert [spec.alias for spec in (one, two, three)] == ["one", "two", "three"]
    assert dict(one.options) == dict(two.options) == dict(three.options)
    assert one.type == two.type == three.type == "zoo"
    assert (own.type, dict(own.options)) == ("compressai", {"path": ("a.pth", "b.pth"), "arch": "mbt2018-mean"})


@pytest.mark.parametrize(
    ("name", "message"),
    [
        (
            "zoo:mbt2018-meen",
            f"unknown model 'mbt2018-meen', did you mean 'mbt2018-mean'? known: {MODELS}; "
            "correct the option or leave it out",
        ),
        (
            '"zoo:mbt2018?metric=psnr"',
            "metric must be 'mse' or 'ms-ssim', found 'psnr'; correct the option or leave it out",
        ),
        (
            '"zoo:mbt2018?metrik=mse"',
            "unknown option 'metrik', did you mean 'metric'? known: bits, download, levels, metric, model, type, "
            "weights; correct or remove it",
        ),
        ("compressai:a.pth", "the option arch is missing, and compressai needs it; add arch"),
        (
            "zoo",
            "codec 'zoo' needs the options model; give it a name of its own under codecs, with "
            "type: zoo and these options, or write zoo:MODEL",
        ),
        (
            "zo:a",
            f"unknown codec 'zo', did you mean 'zoo'? known: {', '.join(sorted(CODECS))}; "
            "see docs/reference/codecs.md for names",
        ),
    ],
)
def test_a_name_without_sense_is_said_with_its_line(guard_refusal, name, message) -> None:
    assert guard_refusal(f"codecs: [jpeg, {name}]") == f"thresholds.yaml:7: photos: {message}"


def test_options_given_twice_are_said_with_their_line(refusal) -> None:
    text = "version: 1\ncodecs:\n  mine: {type: zoo:mbt2018-mean, model: mbt2018}\n"
    assert refusal(text) == (
        "thresholds.yaml:3: codec mine: the codec 'zoo:mbt2018-mean' says model, and so do its options; keep one of "
        "them; see docs/reference/codecs.md for names"
    )


def test_a_slip_in_a_per_codec_map_is_said_with_its_line(guard_refusal) -> None:
    message = guard_refusal("codecs: [zoo:mbt2018]", "bpp: [1]", "max_drop:", "  zoo:mbt2019: 3", "  default: 4")
    assert message.startswith("thresholds.yaml:10: photos: unknown model 'mbt2019', did you mean 'mbt2018'? known: ")


def test_the_same_name_twice_is_refused(guard_refusal) -> None:
    assert guard_refusal("codecs: [zoo:mbt2018, zoo:mbt2018]") == (
        "thresholds.yaml:7: photos: the codec 'zoo:mbt2018' is given twice; keep one of them"
    )


def test_what_the_page_on_codecs_shows_loads(read) -> None:
    page = Path(__file__).parents[2] / "docs" / "reference" / "codecs.md"
    blocks = re.findall(r"```yaml\n(.*?)```", page.read_text(encoding="utf-8"), re.DOTALL)
    names, defaults, *_ = blocks
    guards = "guards:\n  photos: {task: classification, model: m:f, data: d:f}\n"
    (guard,) = read(f"version: 1\n{names}{defaults}{guards}").guards
    assert [spec.type for spec in guard.codecs] == ["jpeg", "zoo", "zoo", "compressai"]
