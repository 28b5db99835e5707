from __future__ import annotations

from compress_guard.report import lines, plain

EVERY_VERDICT = """\
drop = clean - compressed (negative: a gain)   ✓ held   ? inconclusive   · no limit   floor lowest bpp reached

photos: top1 76.2 on 200 clean images; drop in points
                0.1bpp           0.25bpp       0.5bpp         1.0bpp
  allowed         30.0               8.0          4.0            2.5
  jpeg     floor 0.225               6.1 ✓        4.3 ?         -0.4 ✓
  webp            35.2 FAIL          0.0 ✓        4.3 ? FAIL     0.2 ·
  avif     unavailable FAIL  codec error FAIL   error FAIL

5 of 11 cells failed:
  thresholds.yaml::photos[webp-0.1bpp]  top1 fell by 35.2 points, allowed 30.0
  thresholds.yaml::photos[webp-0.5bpp]  4.3 is above 4.0
  thresholds.yaml::photos[avif-0.1bpp]  no libavif here: pip install pillow
  thresholds.yaml::photos[avif-0.25bpp]  decoded twice, two images
  thresholds.yaml::photos[avif-0.5bpp]  model: 3 scores for 4 images

2 inconclusive (?): the interval reaches to both sides of the limit, so these images cannot tell and more are needed; \
1 passed by on_inconclusive: pass, 1 failed by the point estimate
photos: jpeg does not reach 0.1 (floor 0.225) bpp on these images; give it higher rates, \
bpp: {jpeg: [...], default: [...]}, use larger images
avif is unavailable (1 cell): no libavif here: pip install pillow
photos: avif itself failed in 1 cell: no verdict on the model there
photos: webp was measured without a limit in 1 cell; set max_drop or min_score to judge it
photos: 2 of 200 images failed to load or code and were left out of 1 cell: a.jpg, b.jpg

11 cells: 5 failed, 4 passed, 2 skipped \
(verdicts: 3 pass, 1 fail, 2 inconclusive, 1 unreachable, 1 unavailable, 1 unjudged, 1 codec error, 1 error)
"""


def test_every_verdict_as_text(every_verdict):
    assert plain(lines(every_verdict)) == EVERY_VERDICT


def test_a_green_run_is_one_small_matrix(cell):
    found = [cell("jpeg", 0.25, drop=1.26, max_drop=8.0), cell("jpeg", 2, drop=0.0, max_drop=2.0)]
    assert plain(lines(found)) == (
        "drop = clean - compressed (negative: a gain)   ✓ held\n"
        "\n"
        "photos: top1 76.2 on 200 clean images; drop in points\n"
        "           0.25bpp    2.0bpp\n"
        "  allowed      8.0       2.0\n"
        "  jpeg         1.3 ✓     0.0 ✓\n"
        "\n"
        "2 cells: 2 passed (verdicts: 2 pass)\n"
    )


def test_each_guard_has_its_matrix_in_the_order_of_the_results(cell):
    found = [cell("jpeg", 1, drop=1, guard=guard) for guard in ("zebras", "apples", "zebras")]
    titles = [text for text in plain(lines(found)).splitlines() if "top1" in text]
    assert titles == [f"{guard}: top1 76.2 on 200 clean images; drop in points" for guard in ("zebras", "apples")]


def test_an_output_without_the_signs_gets_ascii(every_verdict):
    found = plain(lines(every_verdict, "ascii"))
    assert found.isascii()
    assert "6.1 ok" in found
    assert "0.2 -" in found
    assert plain(lines(every_verdict, None)) == found
    assert plain(lines(every_verdict, "no-such-encoding")) == found
    assert plain(lines(every_verdict, "latin-1")) == found  # has the dot but not the check mark


def test_nothing_measured_says_nothing():
    assert list(lines([])) == []
