"""The fixture `compressed_batches` and its marker."""

from __future__ import annotations

import pytest

# Whoever distributes these tests: they look at one run.
pytestmark = pytest.mark.xdist_group("plugin-batches")

OWN = """
    import pytest
    import toy
    import torch

    @pytest.fixture(scope="session")
    def pictures():
        return toy.data()

    def check(batches, count, bpp, size=None):
        seen = list(batches)
        assert sum(len(batch.images) for batch in seen) == count
        for batch in seen:
            assert len(batch.images) == len(batch.targets) == len(batch.bpp) == len(batch.ids)
            assert size is None or len(batch.images) <= size
            for image in batch.images:
                assert image.dtype == torch.uint8 and tuple(image.shape) == (3, 96, 96)
        rates = [rate for batch in seen for rate in batch.bpp]
        assert abs(sum(rates) / len(rates) / bpp - 1) < 0.02
        assert [target for batch in seen for target in batch.targets] == [
            int(name[-3:]) % 4 for batch in seen for name in batch.ids
        ]
        return seen

    @pytest.mark.compress_guard(guard="toy")
    def test_of_a_guard(compressed_batches, request):
        bpp = 0.5 if "0.5bpp" in request.node.name else 2.0
        check(compressed_batches, 8, bpp)

    @pytest.mark.compress_guard(codecs=["jpeg"], bpp=[1], guard="toy", limit=6, batch_size=4)
    def test_another_rate(compressed_batches):
        assert len(check(compressed_batches, 6, 1.0, 4)) == 2

    @pytest.mark.compress_guard(codecs=["fine"], bpp=[2.0, 1.0], guard="aliased")
    def test_an_alias(compressed_batches):
        next(iter(compressed_batches))

    @pytest.mark.compress_guard(codecs=["jpeg", "webp"], bpp=[0.5], data="toy:data", limit=4)
    def test_of_a_factory(compressed_batches):
        check(compressed_batches, 4, 0.5)

    @pytest.mark.compress_guard(codecs=["jpeg"], bpp=[0.5], data="fixture:pictures", limit=4)
    def test_of_a_fixture(compressed_batches):
        check(compressed_batches, 4, 0.5)

    @pytest.mark.compress_guard(codecs=["jpeg"], bpp=[1.0], data=toy.data()[:5], rate="image")
    @pytest.mark.parametrize("flip", [False, True])
    def test_of_an_object(compressed_batches, flip):
        for batch in compressed_batches:
            assert all(abs(rate - 1) < 0.05 for rate in batch.bpp)

    @pytest.mark.compress_guard(codecs=["jpeg"], bpp=[0.05], data="toy:data", limit=4)
    def test_unreachable(compressed_batches):
        next(compressed_batches)

    @pytest.mark.compress_guard(codecs=["gone"], bpp=[1.0, 2.0], guard="aliased")
    def test_unavailable(compressed_batches):
        next(compressed_batches)
"""

THRESHOLDS = """
    version: 1
    codecs:
      fine: {type: jpeg, subsampling: "4:4:4"}
      gone:
        type: command
        encoder: no-such-coder {setting} {input} {output}
        decoder: no-such-coder {input} {output}
        settings: 1..10
    guards:
      toy: &toy
        {task: classification, model: "toy:model", data: "toy:data", max_drop: 100, bpp: [0.5, 2], codecs: [jpeg, webp],
         limit: 8}
      aliased: {<<: *toy, codecs: [fine, gone], bpp: [1], limit: 4}
"""


@pytest.fixture(scope="module")
def run(new_project):
    project = new_project()
    project.write("thresholds.yaml", THRESHOLDS)
    project.write("test_own.py", OWN)
    return project.run("-v", "-rs", "test_own.py", "-W", "error")


def test_there_is_a_test_for_each_codec_and_rate(run):
    ended = dict(line.split()[:2] for line in run.out.splitlines() if line.startswith("test_own.py::"))
    assert {name.partition("::")[2]: word for name, word in ended.items()} == {
        "test_of_a_guard[jpeg-0.5bpp]": "PASSED",
        "test_of_a_guard[jpeg-2.0bpp]": "PASSED",
        "test_of_a_guard[webp-0.5bpp]": "PASSED",
        "test_of_a_guard[webp-2.0bpp]": "PASSED",
        "test_another_rate[jpeg-1.0bpp]": "PASSED",
        "test_an_alias[fine-2.0bpp]": "PASSED",
        "test_an_alias[fine-1.0bpp]": "PASSED",
        "test_of_a_factory[jpeg-0.5bpp]": "PASSED",
        "test_of_a_factory[webp-0.5bpp]": "PASSED",
        "test_of_a_fixture[jpeg-0.5bpp]": "PASSED",
        "test_of_an_object[jpeg-1.0bpp-False]": "PASSED",
        "test_of_an_object[jpeg-1.0bpp-True]": "PASSED",
        "test_unreachable[jpeg-0.05bpp]": "SKIPPED",
        "test_unavailable[gone-1.0bpp]": "FAILED",
        "test_unavailable[gone-2.0bpp]": "FAILED",
    }


def test_what_cannot_be_coded_is_settled_as_in_a_cell(run):
    assert "jpeg cannot reach 0.05 bpp on these images: " in run.out
    assert (
        "no-such-coder is not on the PATH; install it, or correct the lines encoder and decoder; failed by "
        "on_unavailable: fail" in run.out
    )


@pytest.mark.parametrize(
    ("marker", "message"),
    [
        ("", "compressed_batches needs @pytest.mark.compress_guard(codecs=[...], bpp=[...], ...)"),
        ("('toy')", "the marker compress_guard takes keywords only, found 'toy'; write guard='NAME'"),
        (
            "(codec=['jpeg'], guard='toy')",
            "unknown keyword of the marker compress_guard 'codec', did you mean 'codecs'? known: batch_size, bpp, "
            "codecs, data, guard, limit, orientation, rate",
        ),
        (
            "(codecs='jpeg', guard='toy')",
            "codecs of the marker compress_guard is 'jpeg'; expected a list of codec names",
        ),
        ("(bpp=0.5, guard='toy')", "bpp of the marker compress_guard is 0.5; expected a list of rates"),
        ("(guard='toy', limit=0)", "limit of the marker compress_guard is 0; expected a whole number of at least 1"),
        ("(codecs=['jpeg'], bpp=[1])", "the marker compress_guard needs either guard='NAME' or data=..."),
        ("(guard='toy', data='toy:data')", "the marker compress_guard needs either guard='NAME' or data=..."),
        ("(data='toy:data')", "the marker compress_guard with data=... needs codecs=[...] and bpp=[...]"),
        (
            "(guard='toy', rate='image')",
            "the marker compress_guard takes rate=... with data=... only; a guard has its own",
        ),
        (
            "(guard='tyo')",
            "unknown guard 'tyo', did you mean 'toy'? known: toy; the marker compress_guard names one of the file",
        ),
        (
            "(guard='toy', codecs=['jpg'], bpp=[1])",
            "unknown codec 'jpg', did you mean 'jpeg'? known: avif, command, compressai, heic, jp2, jpeg, jxl, "
            "neural, webp, zoo",
        ),
        (
            "(guard='toy', codecs=['command'], bpp=[1])",
            "codec 'command' needs encoder, decoder, settings; give them in options={...}, or a codec of its own under "
            "codecs in thresholds.yaml",
        ),
        ("(guard='toy', bpp=[20])", "rate 20 bpp is outside 0.02 to 8; use a rate in that range"),
        ("(guard='toy', codecs=['avif'])", "the marker compress_guard asks for codecs without rates; add bpp=[...]"),
    ],
)
def test_a_marker_without_sense_is_refused(project, marker, message):
    decorator = f"@pytest.mark.compress_guard{marker}\n" if marker else ""
    project.write("test_own.py", f"import pytest\n\n{decorator}def test_it(compressed_batches): ...\n")
    run = project.run("test_own.py")
    assert run.code == pytest.ExitCode.INTERRUPTED
    assert f"\ntest_own.py::test_it: {message}\n" in run.out
    assert "Traceback" not in run.out
