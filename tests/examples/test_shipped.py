"""Shipped weights: what is listed is what is there, and anything else is refused with the whole story."""

from __future__ import annotations

import hashlib
import shutil

import pytest
import torch
from torch import nn

from examples import judge, models
from examples.shipped import SHIPPED, SUMS, WEIGHTS, WeightsError, loaded, stored


def test_the_list_names_the_shipped_files_with_their_sha256_and_they_are_small():
    listed = dict(reversed(line.split("  ")) for line in (WEIGHTS / SUMS).read_text().splitlines())
    files = {path.name: path.read_bytes() for path in WEIGHTS.glob("*.safetensors")}
    assert set(files) == {f"{name}.safetensors" for name in SHIPPED}
    assert listed == {name: hashlib.sha256(content).hexdigest() for name, content in files.items()}
    assert sum(map(len, files.values())) <= 10_000_000


@pytest.mark.parametrize("name", SHIPPED)
def test_changed_weights_are_refused(name, tmp_path):
    shutil.copytree(WEIGHTS, tmp_path, dirs_exist_ok=True)
    path = tmp_path / f"{name}.safetensors"
    content = bytearray(path.read_bytes())
    expected = hashlib.sha256(content).hexdigest()
    content[-1] ^= 1
    path.write_bytes(content)
    with pytest.raises(WeightsError) as refusal:
        getattr(models, name)(folder=tmp_path)
    assert str(refusal.value) == (
        f"{path}: sha256 is {hashlib.sha256(content).hexdigest()}, expected {expected} from SHA256SUMS; "
        f"restore both files from the repository or train it with 'python -m examples.train {name}'"
    )


def test_missing_weights_are_refused(tmp_path):
    with pytest.raises(WeightsError) as refusal:
        loaded("segmenter", tmp_path)
    assert str(refusal.value) == (
        f"{tmp_path / 'segmenter.safetensors'}: no such file; expected the weights of the bundled segmenter; "
        f"restore it from the repository or train it with 'python -m examples.train segmenter'"
    )


def test_weights_that_no_list_names_are_refused(tmp_path):
    stored(nn.Linear(2, 2), "odd", tmp_path)
    (tmp_path / SUMS).unlink()
    with pytest.raises(WeightsError, match="expected an entry from SHA256SUMS"):
        loaded("odd", tmp_path)


def test_weights_come_back_as_stored_up_to_half_precision(tmp_path):
    network = nn.Sequential(nn.Linear(3, 4), nn.BatchNorm1d(4))
    digest = stored(network, "tiny", tmp_path)
    assert stored(network, "other", tmp_path) == digest
    for name in ("tiny", "other"):
        state = loaded(name, tmp_path)
        for key, value in network.state_dict().items():
            assert state[key].dtype == value.dtype
            assert torch.allclose(state[key].float(), value.float(), rtol=1e-3)


@pytest.mark.parametrize(("name", "floor"), [("classifier", 90), ("segmenter", 75), ("detector", 50)])
def test_shipped_models_score_above_their_floor_on_clean_pictures(name, floor):
    assert judge.clean_score(name, limit=60) >= floor
