from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from compress_guard.records import ThroughputResult
from compress_guard.report import document, plain, properties, throughput_lines, write

CPU = "cpu (AMD EPYC)"


def timed(codec, work, speed=None, ratio=None, *, verdict="pass", outcome="passed", guard="photos", bpp=0.5, **fields):
    values = {
        "id": f"thresholds.yaml::{guard}[throughput-{codec}-{bpp}bpp-{work}]",
        "guard": guard,
        "codec": codec,
        "target_bpp": bpp,
        "work": work,
        "verdict": verdict,
        "outcome": outcome,
        "settled_by": "interval" if verdict in ("pass", "fail") else "policy",
        "reason": "because",
        "seed": 0,
        "confidence": 0.95,
        "device": CPU,
    }
    if speed is not None:
        values |= {"speed": speed, "images": 8, "megapixels": 4.194, "threads": 2, "codec_device": CPU}
        values |= {"peak_memory": 3.14, "growth": 0.02}
    if ratio is not None:
        values |= {"ratio": ratio, "reference": "jpeg"}
    return ThroughputResult(**(values | fields))


FREE = {"verdict": "unjudged", "outcome": "skipped"}
FOUND = [
    timed("jpeg", "encode", 118.2, **FREE),
    timed("jpeg", "decode", 1210.4, **FREE),
    timed("webp", "encode", 14.23, 0.12041, peak_memory=12.06, growth=-0.04),
    timed("webp", "decode", 97.31, 0.0804, verdict="fail", outcome="failed", reason="webp decodes too slowly"),
    timed("webp", "round_trip", 12.4, 0.107, verdict="inconclusive"),
    timed("avif", "encode", 3.111, 0.0263, verdict="inconclusive", outcome="failed", bpp=0.25, growth=70.0),
]


def shown(results, encoding="utf-8"):
    return plain(throughput_lines(results, encoding)).splitlines()


def styles(results):
    return {text: style for line in throughput_lines(results) for text, style in line}


def test_a_run_without_throughput_says_nothing():
    assert shown([]) == []


def test_a_guard_is_a_table():
    assert shown(FOUND)[:7] == [
        "throughput in megapixels per second   ✓ held   ? inconclusive   · no limit",
        "",
        "photos: 8 images of 4.2 megapixels in all, threads: 2, cpu (AMD EPYC); x: times the speed of jpeg",
        "                      encode               decode        round trip    peak MB  growth MB",
        "  jpeg 0.5bpp            118 ·               1210 ·                        3.1        0.0",
        "  webp 0.5bpp     14.2 0.12x ✓       97.3 0.0804x FAIL  12.4 0.107x ?     12.1        0.0",
        "  avif 0.25bpp  3.11 0.0263x ? FAIL                                        3.1       70.0",
    ]


def test_failures_and_what_became_of_all():
    assert shown(FOUND)[7:] == [
        "",
        "2 of 6 throughput cells failed:",
        "  thresholds.yaml::photos[throughput-webp-0.5bpp-decode]  webp decodes too slowly",
        "  thresholds.yaml::photos[throughput-avif-0.25bpp-encode]  because",
        "",
        "throughput: 6 cells: 2 failed, 2 passed, 2 skipped (verdicts: 1 pass, 1 fail, 2 inconclusive, 2 unjudged)",
    ]


def test_red_is_what_fails_and_green_what_held():
    look = styles(FOUND)
    assert look["14.2 0.12x ✓"] == "green"
    assert look["97.3 0.0804x FAIL"] == look["3.11 0.0263x ? FAIL"] == "red bold"
    assert look["12.4 0.107x ?"] == look["118 ·"] == "light"


def test_an_output_without_unicode_gets_ascii():
    "\n".join(shown(FOUND, "ascii")).encode("ascii")
    assert "14.2 0.12x ok" in shown(FOUND, "ascii")[5]


def test_only_what_was_asked_for_has_a_column():
    assert shown([timed("jpeg", "decode", 120.0, **FREE, peak_memory=None, growth=None)])[2:5] == [
        "photos: 8 images of 4.2 megapixels in all, threads: 2, cpu (AMD EPYC)",
        "               decode",
        "  jpeg 0.5bpp     120 ·",
    ]


def test_what_shares_a_place_has_a_row_of_its_own():
    found = [timed("webp", "decode", speed, 0.5, guard="test_own", id=str(speed)) for speed in (10.0, 20.0)]
    assert [line.split()[2] for line in shown(found)[4:6]] == ["10", "20"]


def test_what_could_not_be_timed_is_told():
    found = [
        timed("avif", "encode", verdict="unavailable", outcome="failed", reason="no libavif here"),
        *(
            timed("webp", work, verdict="unreachable", outcome="skipped", reason="webp cannot reach 0.01 bpp")
            for work in ("encode", "decode")
        ),
    ]
    assert shown(found)[2:] == [
        "photos",
        "                    encode            decode",
        "  avif 0.5bpp  unavailable FAIL",
        "  webp 0.5bpp  unreachable       unreachable",
        "",
        "1 of 3 throughput cells failed:",
        "  thresholds.yaml::photos[throughput-avif-0.5bpp-encode]  no libavif here",
        "photos: webp cannot reach 0.01 bpp",
        "",
        "throughput: 3 cells: 1 failed, 2 skipped (verdicts: 2 unreachable, 1 unavailable)",
    ]


def test_a_limit_for_another_device_is_told():
    there = timed("jpeg", "encode", 900.0, min_speed=500.0, limit_device="H200", codec_device="cuda:0 (NVIDIA H200)")
    here = timed("jpeg", "decode", 100.0, **FREE, min_speed=500.0, limit_device="H200")
    assert "photos: min_speed is meant for H200 and was not judged on cpu (AMD EPYC)" in shown([there, here])
    assert not any("was not judged" in line for line in shown([there]))


@given(
    st.lists(
        st.builds(
            timed,
            st.sampled_from(["jpeg", "a.long_codec"]),
            st.sampled_from(["encode", "decode", "round_trip"]),
            st.none() | st.floats(1e-3, 1e5),
            st.none() | st.floats(1e-4, 1e3),
            verdict=st.sampled_from(["pass", "inconclusive", "unjudged"]),
            bpp=st.sampled_from([0.25, 1.0]),
        ),
        max_size=8,
    )
)
def test_every_result_is_in_the_table(results):
    lines = list(throughput_lines(results))
    table = [line for line in lines if line and line[0][0].startswith("  ") and "bpp" in line[0][0]]
    marks = ("✓", "?", "·")
    assert sum(text.endswith(marks) for line in table for text, _ in line) == len(results)


# Files


def test_results_stand_in_the_document(tmp_path):
    write(tmp_path / "r.json", [], {}, {}, FOUND)
    read = json.loads((tmp_path / "r.json").read_text(encoding="utf-8"))
    assert read["cells"] == []
    assert [ThroughputResult.from_dict(values) for values in read["throughput"]] == FOUND
    assert read["throughput"][0]["ratio"] is None


def test_a_number_that_is_none_is_refused():
    with pytest.raises(ValueError, match=r"^throughput\[0\]\.ratio_low is nan;"):
        document([], {}, [timed("jpeg", "encode", 1.0, ratio_low=float("nan"))])


def test_properties_are_the_fields_that_were_measured():
    told = dict(properties(FOUND[2]))
    assert told["cg_verdict"] == "pass"
    assert (told["cg_speed"], told["cg_ratio"], told["cg_work"]) == ("14.23", "0.12041", "encode")
    assert "cg_min_ratio" not in told
