"""Train the bundled codec: python -m training.neural --photographs FOLDER.

FOLDER holds gb82/ and clic2025/ with lossless PNG photographs. Seeded and resumable: a run that was stopped goes on
from its checkpoint. The same command uses a GPU where there is one. Afterwards `python -m training.export` makes the
weights that the package ships.
"""

import argparse
import math
import time
from dataclasses import dataclass, field
from pathlib import Path

import torch
from torch import Tensor, nn
from torch.nn import functional
from tqdm import tqdm

from compress_guard.codecs.neural.model import TRADE
from training.photographs import Crops
from training.relaxed import Relaxed

_CROP = 128
_RATE = 1e-3
_TRANSFORM_SHARE = 0.05  # the transforms begin as the DCT they nearly stay: they learn at a twentieth of the rate
_WARM_UP = 200
_HARD_FROM = 0.7  # share of the training after which all rates are those of rounded coefficients
_HARD_ABOVE = 5.0  # log2 of the step size above which they are from the start: noise tells little of zeros
_GRADIENT = 2.0
_SAVE_SECONDS = 60.0


@dataclass(slots=True)
class Training:
    """A codec in training, whose whole state is the step, the weights and the optimiser's moments."""

    model: Relaxed
    optimiser: torch.optim.Adam
    device: torch.device
    seed: int
    step: int = 0
    shown: dict[int, list[float]] = field(default_factory=dict)

    @classmethod
    def begun(cls, crops: Crops, seed: int, device: torch.device) -> "Training":
        """Return a training at step 0: weights drawn from the seed, spreads measured on crops that no step uses."""
        torch.manual_seed(seed)
        model = Relaxed()
        with torch.no_grad():
            sample = torch.cat([crops.batch(seed, 2**32 - 1 - part, 64, _CROP) for part in range(4)]).float()
            coefficients = functional.conv2d(sample - 128.0, model.network.analysis, stride=8)
            model.network.spread.copy_(coefficients.std((0, 2, 3)))
        model = model.to(device=device, memory_format=torch.channels_last).train()  # type: ignore[call-overload]
        slow = [model.network.analysis, model.network.synthesis]
        rest = [weights for weights in model.parameters() if all(weights is not other for other in slow)]
        groups = [{"params": rest, "share": 1.0}, {"params": slow, "share": _TRANSFORM_SHARE}]
        return cls(model, torch.optim.Adam(groups, lr=_RATE, betas=(0.9, 0.98)), device, seed)

    def advance(self, crops: Crops, steps: int, batch: int) -> None:
        """Train one of `steps` steps."""
        self.step += 1
        progress = self.step / steps
        pace = min(1.0, self.step / _WARM_UP) * 0.5 * (1.002 + math.cos(math.pi * progress))
        for group in self.optimiser.param_groups:
            group["lr"] = _RATE * pace * group["share"]
        pixels = crops.batch(self.seed, self.step, batch, _CROP).to(self.device).float()
        drawn = torch.Generator().manual_seed(self.step)
        log_step = step_sizes((torch.arange(batch) + torch.rand((), generator=drawn)) / batch).to(self.device)
        torch.manual_seed(self.seed * 1_000_003 + self.step)
        hard = (log_step > _HARD_ABOVE) | (progress > _HARD_FROM)
        bits, error = self.model(pixels.contiguous(memory_format=torch.channels_last), log_step, hard)
        delta = 2.0**log_step
        # Bits fall almost as fast as steps grow, so that every rate counts about the same.
        loss = ((bits + TRADE / delta**2 * error) * (delta / 40.0) ** 0.9).mean()
        self.optimiser.zero_grad(set_to_none=True)
        loss.backward()
        nn.utils.clip_grad_norm_(self.model.parameters(), _GRADIENT)
        self.optimiser.step()
        for octave, rate, wrong in zip(log_step.long().tolist(), bits.tolist(), error.tolist(), strict=True):
            sums = self.shown.setdefault(octave, [0.0, 0.0, 0.0])
            for at, value in enumerate((1.0, rate, 10 * math.log10(255**2 / wrong))):
                sums[at] += value

    def figures(self) -> str:
        """Return mean bpp and PSNR per octave of the step size since the last call."""
        shown, self.shown = self.shown, {}
        return "  ".join(
            f"{2**octave}: {rate / count:.3f} bpp {quality / count:.2f} dB"
            for octave, (count, rate, quality) in sorted(shown.items())
        )

    def save(self, path: Path) -> None:
        """Write a checkpoint, whole or not at all."""
        path.parent.mkdir(parents=True, exist_ok=True)
        draft = path.with_suffix(".part")
        torch.save({"model": self.model.state_dict(), "adam": self.optimiser.state_dict(), "step": self.step}, draft)
        draft.replace(path)

    def resume(self, path: Path) -> None:
        """Go on from a checkpoint."""
        kept = torch.load(path, map_location=self.device, weights_only=True)
        self.model.load_state_dict(kept["model"])
        self.optimiser.load_state_dict(kept["adam"])
        self.step = kept["step"]


def step_sizes(quantiles: Tensor) -> Tensor:
    """Return log2 of step sizes: most between 8 and 512 (2 to 0.05 bpp for photographs), the rest out to 2 and 1024."""
    below = 1 + 2 * quantiles / 0.1
    within = 3 + 6 * (quantiles - 0.1) / 0.83
    above = 9 + (quantiles - 0.93) / 0.07
    return torch.where(quantiles < 0.1, below, torch.where(quantiles < 0.93, within, above))


def main() -> None:
    """Train, showing progress; a checkpoint is written every minute and at the end."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--photographs", type=Path, required=True, metavar="FOLDER")
    parser.add_argument("--checkpoint", type=Path, default=Path(__file__).parent / ".checkpoints/neural.pt")
    parser.add_argument("--steps", type=int, default=11000, help="of the whole training; the learning rate follows")
    parser.add_argument("--batch", type=int, default=8, help="crops of 128x128 pixels per step")
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    crops = Crops.loaded(options.photographs)
    training = Training.begun(crops, options.seed, device)
    if options.checkpoint.exists():
        training.resume(options.checkpoint)
    saved = time.monotonic()
    with tqdm(total=options.steps, initial=training.step, unit="step") as bar:
        while training.step < options.steps:
            training.advance(crops, options.steps, options.batch)
            bar.update()
            if time.monotonic() - saved > _SAVE_SECONDS:
                training.save(options.checkpoint)
                saved = time.monotonic()
                bar.write(f"step {training.step}  {training.figures()}")
    training.save(options.checkpoint)


if __name__ == "__main__":
    main()
