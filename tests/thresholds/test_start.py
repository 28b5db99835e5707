"""Loading with the registered codecs and tasks is cheap, and every registered name can be named."""

from __future__ import annotations

import json
import subprocess
import sys

from compress_guard.registry import CODECS, TASKS

PROGRAM = """
import json, sys
from pathlib import Path
from compress_guard.thresholds import load
guards = load(Path(sys.argv[1])).guards
names = "torch torchvision PIL pytest scipy faster_coco_eval pillow_heif compressai safetensors"
heavy = set(names.split()) & set(sys.modules)
print(json.dumps([sorted(heavy), [[one.name, one.metric, len(one.cells)] for one in guards]]))
"""
NEEDED = {
    "command": {"encoder": "e {input} {output} {setting}", "decoder": "d {input} {output}", "settings": [1, 2]},
    "zoo": {"model": "mbt2018-mean"},
    "compressai": {"path": "a.pth", "arch": "mbt2018"},
    "pipeline": {"steps": [{"resize": {"longest": 64}}, {"jpeg": {"quality": 80}}, "webp"]},
}


def test_loading_imports_neither_torch_nor_pil_nor_pytest(tmp_path):
    # JSON is YAML
    file = {
        "version": 1,
        "codecs": {f"my_{name}": {"type": name, **NEEDED.get(name, {})} for name in CODECS},
        "defaults": {"codecs": [f"my_{name}" for name in CODECS], "bpp": [1]},
        "guards": {name: {"task": name, "model": "m:f", "data": "d:f"} for name in TASKS},
    }
    path = tmp_path / "thresholds.yaml"
    path.write_text(json.dumps(file))
    done = subprocess.run([sys.executable, "-c", PROGRAM, str(path)], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    heavy, guards = json.loads(done.stdout)
    assert heavy == []
    metrics = {"classification": "top1", "detection": "map", "segmentation": "miou"}
    assert guards == [[name, metrics[name], len(file["codecs"])] for name in TASKS]
