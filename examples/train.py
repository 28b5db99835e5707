"""Train the models of the bundled world: python -m examples.train {classifier,detector,segmenter,all}.

Seeded and resumable: a run that was stopped goes on from its checkpoint to the weights that an uninterrupted run
reaches. The same command uses a GPU where there is one. At the end the weights are written with their sha256, and the
model's clean score on the evaluation set is printed.
"""

import argparse
import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import torch
from torch import nn

from examples.pool import Batch, Pool, pool
from examples.recipe import RECIPES, Recipe
from examples.shipped import SHIPPED, WEIGHTS, loaded, stored

_HERE = Path(__file__).parent
_WARM_UP = 0.05  # share of the steps over which the learning rate rises
_CHECKPOINT_SECONDS = 60.0
_REPORT_SECONDS = 10.0


@dataclass(slots=True)
class Training:
    """A model in training, whose whole state is the step, the weights and the optimiser's moments."""

    name: str
    recipe: Recipe
    seed: int
    device: torch.device
    network: nn.Module
    optimiser: torch.optim.AdamW
    step: int = 0

    @classmethod
    def begun(cls, name: str, recipe: Recipe, seed: int, device: torch.device, start_from: Path) -> "Training":
        """Return a training at step 0: weights drawn from the seed, or taken from the model that the recipe names."""
        torch.manual_seed(seed)
        network = recipe.network()
        if recipe.start is not None:
            _take_over(network, recipe.start, start_from)
        network = network.to(device=device, memory_format=torch.channels_last).train()  # type: ignore[call-overload]
        optimiser = torch.optim.AdamW(network.parameters(), lr=recipe.peak, weight_decay=0.01)
        return cls(name, recipe, seed, device, network, optimiser)

    def advance(self, batches: Pool, until: int) -> Iterator[float]:
        """Train up to a step; yields the loss of each."""
        for step in range(self.step + 1, until + 1):
            for group in self.optimiser.param_groups:
                group["lr"] = self.recipe.peak * _pace(step / self.recipe.steps)
            batch = batches.batch(self.seed, step, self.recipe.batch, self.recipe.crop)
            batch = Batch(batch.images.to(self.device), batch.regions.to(self.device), batch.boxes, batch.classes)
            loss = self.recipe.loss(self.network, batch)
            self.optimiser.zero_grad(set_to_none=True)
            loss.backward()  # type: ignore[no-untyped-call]
            nn.utils.clip_grad_norm_(self.network.parameters(), 5.0)
            self.optimiser.step()
            self.step = step
            yield float(loss.detach())

    def save(self, path: Path) -> None:
        """Write a checkpoint, whole or not at all."""
        path.parent.mkdir(parents=True, exist_ok=True)
        draft = path.with_suffix(".part")
        torch.save(
            {
                "recipe": _described(self),
                "step": self.step,
                "network": self.network.state_dict(),
                "optimiser": self.optimiser.state_dict(),
            },
            draft,
        )
        draft.replace(path)

    def resume(self, path: Path) -> None:
        """Go on from a checkpoint; one of another recipe is refused with a ValueError."""
        kept = torch.load(path, map_location=self.device, weights_only=True)
        if kept["recipe"] != _described(self):
            raise ValueError(
                f"{path}: made by {kept['recipe']}, but this run is {_described(self)}; "
                f"use the same options or start again with --fresh"
            )
        self.network.load_state_dict(kept["network"])
        self.optimiser.load_state_dict(kept["optimiser"])
        self.step = kept["step"]


def _described(training: Training) -> str:
    recipe = training.recipe
    return (
        f"{training.name}: {recipe.steps} steps of {recipe.batch} at {recipe.crop} pixels, {recipe.scenes} scenes, "
        f"rate {recipe.peak:g}, start {recipe.start}, seed {training.seed}"
    )


def _take_over(network: nn.Module, start: str, folder: Path) -> None:
    prefix = "backbone."
    given = loaded(start, folder)
    if given.keys() == network.state_dict().keys():
        network.load_state_dict(given)
        return
    weights = {key.removeprefix(prefix): value for key, value in given.items() if key.startswith(prefix)}
    target = network.backbone
    # A detector's trunk holds the backbone one level down.
    (target.backbone if hasattr(target, "backbone") else target).load_state_dict(weights)  # type: ignore[union-attr]


def _pace(progress: float) -> float:
    """Return the share of the peak learning rate: a linear rise, then a cosine down to almost nothing."""
    if progress < _WARM_UP:
        return progress / _WARM_UP
    turn = torch.pi * (progress - _WARM_UP) / (1 - _WARM_UP)
    return 0.5 * (1.001 + float(torch.cos(torch.tensor(turn))))


def train(name: str, recipe: Recipe, options: argparse.Namespace, until: int | None = None) -> Training:
    """Train one model, or the first `until` steps of it, writing a checkpoint every minute and at the end."""
    device = torch.device(options.device)
    training = Training.begun(name, recipe, options.seed, device, options.checkpoints)
    checkpoint = options.checkpoints / f"{name}.pt"
    if checkpoint.exists() and options.resume:
        training.resume(checkpoint)
    scenes = pool(recipe.layout, options.scene_seed, recipe.scenes, options.cache, options.workers)
    saved = shown = time.monotonic()
    mean, first = 0.0, training.step
    for loss in training.advance(scenes, recipe.steps if until is None else until):
        mean = loss if training.step == first + 1 else 0.98 * mean + 0.02 * loss
        now = time.monotonic()
        if now - shown >= _REPORT_SECONDS:
            print(f"{name}: step {training.step} of {recipe.steps}, loss {mean:.4f}", flush=True)
            shown = now
        if now - saved >= _CHECKPOINT_SECONDS:
            training.save(checkpoint)
            saved = now
    training.save(checkpoint)
    return training


def main(arguments: list[str] | None = None) -> None:
    """Run the command line."""
    options = _parser().parse_args(arguments)
    if options.device == "auto":
        options.device = "cuda" if torch.cuda.is_available() else "cpu"
    for name in _due(options):
        recipe = RECIPES[name]
        chosen = {key: getattr(options, key) for key in ("steps", "batch", "scenes") if getattr(options, key)}
        training = train(name, replace(recipe, **chosen), options)
        folder = options.out if name in SHIPPED else options.checkpoints
        digest = stored(training.network, name, folder)
        print(f"{name}: {folder / name}.safetensors, sha256 {digest}", flush=True)
        if options.judge and name in SHIPPED:
            from examples.judge import clean_score

            print(f"{name}: clean score {clean_score(name, folder, options.device):.1f}", flush=True)


def _due(options: argparse.Namespace) -> list[str]:
    """Return the models to train, in order; a trunk that an earlier run kept is not trained again."""
    names = list(RECIPES) if options.model == "all" else [options.model]
    start = RECIPES[names[0]].start
    if start is not None and not (options.checkpoints / f"{start}.safetensors").exists():
        names.insert(0, start)
    return names


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m examples.train", description="Train the bundled models.")
    parser.add_argument("model", choices=[*RECIPES, "all"])
    parser.add_argument("--steps", type=int, help="default: the recipe's")
    parser.add_argument("--batch", type=int, help="images per step; default: the recipe's")
    parser.add_argument("--scenes", type=int, help="scenes rendered for training; default: the recipe's")
    parser.add_argument("--device", default="auto", help="auto, cpu, cuda or cuda:N")
    parser.add_argument("--seed", type=int, default=1, help="of the first weights and of the batches")
    parser.add_argument("--scene-seed", type=int, default=1, help="of the scenes; not the evaluation set's")
    parser.add_argument("--out", type=Path, default=WEIGHTS, help="folder of the finished weights")
    parser.add_argument("--cache", type=Path, default=_HERE / ".cache", help="folder of the rendered scenes")
    parser.add_argument("--checkpoints", type=Path, default=_HERE / ".checkpoints")
    parser.add_argument("--workers", type=int, default=2, help="processes that render")
    parser.add_argument("--judge", action=argparse.BooleanOptionalAction, default=True, help="score the result")
    resume = parser.add_mutually_exclusive_group()
    resume.add_argument("--resume", action="store_true", default=True, help="go on from a checkpoint (the default)")
    resume.add_argument("--fresh", dest="resume", action="store_false", help="ignore a checkpoint")
    return parser


if __name__ == "__main__":
    main()
