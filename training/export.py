"""Turn a checkpoint into what the package ships: python -m training.export CHECKPOINT [OUT]."""

import hashlib
import sys
from pathlib import Path

import torch
from compressai.entropy_models import GaussianConditional
from safetensors.torch import save_file

from compress_guard.codecs.neural import model as shipped
from compress_guard.codecs.neural.network import snap, snap_weights
from training.relaxed import Relaxed


def exported(trained: Relaxed) -> dict[str, torch.Tensor]:
    """Return weights and tables, all exact in float32 or int32."""
    network = trained.network
    tensors = {name: snap_weights(value).float() for name, value in network.state_dict().items()}
    tensors["spread"] = snap(network.spread.double()).float()
    rows = [2.0 ** (shipped.SMALLEST_SCALE + row / shipped.ROWS_PER_OCTAVE) for row in range(shipped.SCALE_ROWS)]
    steps = shipped.LOWEST_STEP + torch.arange(shipped.RUNGS, dtype=torch.float64) / shipped.RUNGS_PER_OCTAVE
    delta = snap(2.0**steps)
    norm = snap(torch.sqrt(tensors["spread"].double() ** 2 + (0.5 * delta[:, None]) ** 2))
    relative = snap(norm / delta[:, None])
    tensors |= {
        "table.delta": delta.float(),
        "table.norm": norm.float(),
        "table.relative": relative.float(),
        "table.log_relative": snap(torch.log2(relative)).float(),
        "table.stretch": snap(shipped.dead_zone(torch.tensor(rows, dtype=torch.float64) ** 2)).float(),
    }
    conditional = GaussianConditional(rows)
    conditional.update()
    trained.bottleneck.update(force=True)
    medians = trained.bottleneck._get_medians().reshape(-1)
    tensors["table.median"] = snap(medians.double()).float()
    for name, source in (("scale", conditional), ("latent", trained.bottleneck)):
        tensors[f"table.{name}.cdf"] = source._quantized_cdf.int()
        tensors[f"table.{name}.size"] = source._cdf_length.reshape(-1).int()
        tensors[f"table.{name}.offset"] = source._offset.reshape(-1).int()
    return {name: value.detach().contiguous() for name, value in tensors.items()}


def main() -> None:
    checkpoint, out = Path(sys.argv[1]), Path(sys.argv[2]) if len(sys.argv) > 2 else shipped.WEIGHTS
    trained = Relaxed().eval()
    kept = torch.load(checkpoint, weights_only=True, map_location="cpu")
    trained.load_state_dict(kept["model"])
    out.parent.mkdir(parents=True, exist_ok=True)
    save_file(exported(trained), out)
    digest = hashlib.sha256(out.read_bytes()).hexdigest()
    (out.parent / "SHA256SUMS").write_text(f"{digest}  {out.name}\n", encoding="utf-8")
    print(f"{out}: {out.stat().st_size} bytes, step {kept['step']}")


if __name__ == "__main__":
    main()
