from __future__ import annotations

from compress_guard.records import SliceResult
from compress_guard.report import Display, lines, plain
from compress_guard.report.notes.lines import notes

EVERY_VERDICT = """\
drop = clean - compressed (negative: a gain)   ✓ held   ? inconclusive   · no limit   floor lowest bpp reached

photos: top1 76.2 on 200 clean images; drop in points
            0.1bpp             0.25bpp            0.5bpp       1.0bpp
  allowed   30.0               8.0                4.0          2.5
  jpeg      floor 0.225        6.1 ✓              4.3 ?        -0.4 ✓
  webp      35.2 FAIL          0.0 ✓              4.3 ? FAIL   0.2 ·
  avif      unavailable FAIL   codec error FAIL   error FAIL
  FAIL webp at 0.1 bpp: top1 fell by 35.2 points, allowed 30.0
    rerun: pytest --compress-guard 'thresholds.yaml::photos[webp-0.1bpp]'
  FAIL webp at 0.5 bpp: 4.3 is above 4.0
    rerun: pytest --compress-guard 'thresholds.yaml::photos[webp-0.5bpp]'
  FAIL avif at 0.1 bpp: no libavif here: pip install pillow
    rerun: pytest --compress-guard 'thresholds.yaml::photos[avif-0.1bpp]'
  FAIL avif at 0.25 bpp: decoded twice, two images
    rerun: pytest --compress-guard 'thresholds.yaml::photos[avif-0.25bpp]'
  FAIL avif at 0.5 bpp: model: 3 scores for 4 images
    rerun: pytest --compress-guard 'thresholds.yaml::photos[avif-0.5bpp]'
  ? 2 undecided with 200 images, 1 passed by on_inconclusive: pass, 1 failed by the point estimate

photos: jpeg cannot reach 0.1 (floor 0.225) bpp on these images; ask for higher rates, \
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
        "            0.25bpp   2.0bpp\n"
        "  allowed   8.0       2.0\n"
        "  jpeg      1.3 ✓     0.0 ✓\n"
        "\n"
        "2 cells: 2 passed (verdicts: 2 pass)\n"
    )


def test_each_guard_has_its_matrix_in_the_order_of_the_results(cell):
    found = [cell("jpeg", 1, drop=1, guard=guard) for guard in ("zebras", "apples", "zebras")]
    titles = [text for text in plain(lines(found)).splitlines() if "top1" in text]
    assert titles == [f"{guard}: top1 76.2 on 200 clean images; drop in points" for guard in ("zebras", "apples")]


def test_an_output_without_the_signs_gets_ascii(every_verdict):
    found = plain(lines(every_verdict, Display("ascii")))
    assert found.isascii()
    assert "6.1 ok" in found
    assert "0.2 -" in found
    assert plain(lines(every_verdict, Display(None))) == found
    assert plain(lines(every_verdict, Display("no-such-encoding"))) == found
    assert plain(lines(every_verdict, Display("latin-1"))) == found  # has the dot but not the check mark


def test_nothing_measured_says_nothing():
    assert list(lines([])) == []


ALL_THERE_IS = """\
drop = clean - compressed (negative: a gain)   ✓ held   ? inconclusive   * stopped early

photos: top1 76.2 on 96 to 200 clean images; drop in points
            0.5bpp   1.0bpp
  allowed   4.0      2.0
  jpeg      4.3 ?    9.0 FAIL*
  webp      1.0 ✓*   0.1 ?
  FAIL jpeg at 1 bpp: top1 fell by 9.0 points, allowed 2.0
    images: 20 newly wrong, 2 newly right of 120 images
    worst: c
    rerun: pytest --compress-guard 'thresholds.yaml::photos[jpeg-1.0bpp]'
  ? 2 undecided with 200 images, 2 passed by on_inconclusive: pass: about 1400 images would settle webp at 1 bpp; \
too near the limit for a hundred times the images: jpeg at 0.5 bpp

photos: jpeg at 0.5 bpp, webp at 1 bpp: 200 images are too few for a max_drop unless compression puts predictions \
right: where none changes, the 99.9 % interval of the drop reaches 5.1, allowed 2.0 to 4.0; it takes 260 to 531 images
photos: weather=night lost more than it may in 1 cell, most with jpeg at 1 bpp: 20.0 points, allowed 5.0 (33 images)
photos: 200 of 200 sources are lossy files already, 0.9 bpp on average; the drop says little at or above that: jpeg \
at 1 bpp, webp at 1 bpp
photos: with 200 images a drop must be 2.2 to 4.9 points away from its limit to be decided
photos: intervals at 99.9 %: bonferroni over the judged limits of the file
photos: 2 of 4 cells stopped early (*), certain after 96 to 120 of 200 images
photos: slices that lost most: weather=night 20.0 points (9.0 to 31.0, 33 images) where all lost 9.0, jpeg at 1 bpp
photos: another decoder (torchvision 0.29) moves the score by -0.2 to +0.1 points: jpeg at 0.5 and 1 bpp

4 cells: 1 failed, 3 passed (verdicts: 1 pass, 1 fail, 2 inconclusive)
"""


def everything(cell, codec, bpp, verdict, outcome, drop, **fields):
    given = {
        "confidence": 0.999,
        "correction": "bonferroni",
        "lossy_sources": 200,
        "source_bpp": 0.9,
        "control_images": 96,
        "control_changed": 0,
        "max_drop": 4.0 if bpp == 0.5 else 2.0,
        "resolvable_drop": 4.9,
    }
    return cell(codec, bpp, verdict, outcome, drop, **(given | fields))


def test_all_there_is_to_tell_takes_a_few_lines(cell):
    night = SliceResult("weather", "night", 33, 0.999, "fail", 90.0, 70.0, 20.0, 9.0, 31.0, 5.0)
    swap = {"swap_decoder": "torchvision 0.29"}
    found = [
        everything(
            cell, "jpeg", 0.5, "inconclusive", "passed", 4.3, harmful_flips=12, helpful_flips=3,
            worst=(("a", 0.5), ("b", 0.5)), swap_score=72.0, **swap,
        ),
        everything(
            cell, "jpeg", 1, "fail", "failed", 9.0, harmful_flips=20, helpful_flips=2, worst=(("c", 0.5),),
            slices=(night,), stopped_early=True, images_used=120, swap_score=67.0,
            reason="top1 fell by 9.0 points, allowed 2.0", **swap,
        ),
        everything(cell, "webp", 0.5, "pass", "passed", 1.0, stopped_early=True, images_used=96),
        everything(
            cell, "webp", 1, "inconclusive", "passed", 0.1, harmful_flips=2, helpful_flips=2, images_needed=1331,
            resolvable_drop=2.2,
        ),
    ]  # fmt: skip
    assert plain(lines(found)) == ALL_THERE_IS


def test_notes_grow_with_the_guards_and_not_with_the_cells(cell):
    def run(codecs):
        night = SliceResult("weather", "night", 33, 0.999, "fail", 90.0, 70.0, 20.0, 9.0, 31.0, 5.0)
        return [
            everything(
                cell, codec, bpp, "inconclusive", "passed", 4.0, harmful_flips=12, helpful_flips=3, slices=(night,),
                worst=((f"{codec}{bpp}", 0.5),), images_needed=500 + 40 * place, swap_decoder="other", swap_score=70.0,
            )
            for codec in codecs
            for place, bpp in enumerate((0.5, 1, 2))
        ]  # fmt: skip

    few, many = (plain(notes(run(codecs))) for codecs in ("ab", "abcdefghijklmnopqrst"))
    assert len(many.splitlines()) == len(few.splitlines())
    assert len(many) < 1.5 * len(few)
