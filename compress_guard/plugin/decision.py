"""The decisions of a run, made once by the process that was started, for itself and for the workers of pytest-xdist."""

from __future__ import annotations

import dataclasses
import json
import os
import tempfile
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from compress_guard import thresholds as thresholds_file
from compress_guard.destination import evidence_path
from compress_guard.engine.machine.threads import calm_threads
from compress_guard.engine.releases.baseline import kept_baseline, read_baseline
from compress_guard.engine.settings import RunSettings, check_results_file, cores
from compress_guard.errors import UsageError
from compress_guard.plugin.benchmark_plugin import check_benchmark
from compress_guard.plugin.choice import (
    ChosenFile,
    check_folders,
    chosen_file,
    is_reached,
    paths_are_named,
)
from compress_guard.plugin.options import HANDED_OVER, GateOptions, is_typed
from compress_guard.plugin.update import check_update
from compress_guard.records import Thresholds
from compress_guard.thresholds.keys.throughput import benchmarked
from compress_guard.thresholds.limits.measured import unlimited
from compress_guard.thresholds.shards import FileShard

if TYPE_CHECKING:
    import pytest


@dataclass(frozen=True, slots=True)
class Decision:
    """Everything that two processes of one run could see differently; workers take it from their controller."""

    folder: Path
    """The folder where the run was started. Relative paths of options, and of the file's codecs, are seen from it."""
    file: ChosenFile
    text: str | None
    """The text of the thresholds file as it was first read; None for a default file that is not there."""
    arguments: tuple[str, ...] | None
    """The paths that pytest collects, absolute; None on a worker elsewhere, which has folders of its own."""
    typed: bool
    """True if the command line itself gives ``--compress-guard``, and not only an ini file or the environment."""
    expected: bool
    """True if pytest should reach cells: it was given no paths, or paths that lead to the file."""
    benchmark: bool
    recovery: bool
    results: Path | None
    """The results file."""
    html: Path | None
    """The report for people."""
    workers: int | None
    """CPU threads for coding as the command line asks."""
    settings: RunSettings
    update: str | None = None
    """``tighten`` or ``loosen`` where the run writes limits into the file instead of judging by them; else None."""
    shard: str | None = None
    """Part of the file that this run measures, ``2/5``; None: all of it."""
    shard_cells: tuple[str, ...] | None = None
    """Names of the cells of this part."""

    def handed_over(self, node: Any) -> str:
        """Return the decision as one of xdist's workers takes it, by `taken_over`: as JSON, so that any path passes."""
        spec, share = node.gateway.spec, max(1, cores() // int(node.workerinput["workercount"]))
        mine = replace(self, settings=replace(self.settings, workers=self.workers or share))
        if spec.chdir or not spec.popen:  # its files are copies, below its own current folder
            path = _copied(self.file.path, node.nodemanager.roots)
            mine = replace(mine, arguments=None, file=replace(self.file, path=path))
        return json.dumps(dataclasses.asdict(mine), default=os.fspath)

    @classmethod
    def taken_over(cls, text: str) -> Decision:
        """Return the decision of a worker's controller."""
        given = json.loads(text)
        file, settings, arguments = given["file"], given["settings"], given["arguments"]
        file["path"] = Path(file["path"]).absolute()
        settings |= {key: Path(settings[key]) for key in ("run_folder", "store_folder", "pictures") if settings[key]}
        given |= {
            "folder": Path(given["folder"]),
            "file": ChosenFile(**file),
            "arguments": None if arguments is None else tuple(arguments),
            "results": None if given["results"] is None else Path(given["results"]),
            "html": None if given["html"] is None else Path(given["html"]),
            "settings": RunSettings(**settings),
        }
        return cls(**given)

    def direct(self, config: pytest.Config) -> None:
        """Let a worker collect what its controller would."""
        if self.arguments is not None:
            config.args[:] = self.arguments
        elif self.expected and not is_reached(config, self.file.path):
            config.args.append(str(self.file.path))


def decision_of(config: pytest.Config) -> tuple[Decision, Thresholds]:
    """Return what was decided for this process, by itself or by the controller whose worker it is, and the guards.

    Raises `UsageError` for a command line or a file that makes no sense; a worker's was checked before it began.
    """
    calm_threads()
    workerinput: dict[str, Any] | None = getattr(config, "workerinput", None)
    if workerinput is None:
        return _decided(config)
    decision = Decision.taken_over(str(workerinput[HANDED_OVER]))
    decision.direct(config)
    guards = _guards(decision.file, decision.text, decision.folder, benchmark=decision.benchmark, sources=False)
    return decision, unlimited(guards) if decision.update else guards


def _decided(config: pytest.Config) -> tuple[Decision, Thresholds]:
    """Decide for a run whose command line this process has."""
    options = GateOptions.of(config)
    file, folder = chosen_file(config, options), config.invocation_params.dir
    # A suite that only uses the fixtures needs no file.
    absent = not file.named and not file.path.exists()
    text = None if absent else thresholds_file.read(file.path, file.shown)
    if options.benchmark:
        check_benchmark(config)
    thresholds = _guards(file, text, folder, benchmark=options.benchmark, sources=True)
    if options.recovery:
        _check_recovery(thresholds, file.shown)
    if options.update:
        check_update(config, options, file.shown, there=text is not None)
        thresholds = unlimited(thresholds)
    wanted, reached = file.typed or not paths_are_named(config), is_reached(config, file.path)
    if text is not None and wanted and not reached:
        check_folders(config, file.path)
        config.args.append(str(file.path))
    settings = _run_settings(config, options, file.path, thresholds)
    decision = Decision(
        folder=folder,
        file=file,
        text=text,
        arguments=_fixed(config),
        typed=is_typed(config, "--compress-guard"),
        expected=wanted or (text is not None and reached),
        benchmark=options.benchmark,
        recovery=options.recovery,
        results=options.json,
        html=options.html,
        workers=options.run.workers,
        settings=settings,
        update=options.update,
        shard=options.shard,
        shard_cells=_shard_cells(options, thresholds, settings),
    )
    return decision, thresholds


def _shard_cells(options: GateOptions, thresholds: Thresholds, settings: RunSettings) -> tuple[str, ...] | None:
    """Return the names of the cells of the shard; the seconds of the baseline, if there is one, balance the cut."""
    if options.shard is None:
        return None
    costs = {} if options.run.baseline is None else kept_baseline(settings.run_folder).seconds
    return tuple(sorted(FileShard.read(options.shard).names(thresholds, costs)))


def _guards(file: ChosenFile, text: str | None, folder: Path, *, benchmark: bool, sources: bool) -> Thresholds:
    """Return the guards of the file, none without a file; raises `ThresholdsError` for a file that makes no sense.

    With `sources` the factories are looked up in the sources of their modules.
    """
    if text is None:
        return Thresholds(str(file.path), ())
    thresholds = thresholds_file.parse(text, file.path, shown=file.shown, folder=folder, sources=sources)
    return benchmarked(thresholds) if benchmark else thresholds


def _check_recovery(thresholds: Thresholds, shown: str) -> None:
    """Raise `UsageError` for a run that asks for recovery studies of a file that has none."""
    if thresholds.guards and all(guard.recovery is None for guard in thresholds.guards):
        found = f"no guard of {shown} has a key recovery"
        raise UsageError("--cg-recovery", found, "add recovery: with train: to a guard, see docs/howto/recovery.md")


def _fixed(config: pytest.Config) -> tuple[str, ...]:
    """Return what pytest collects by absolute paths; names of modules stay names."""
    if config.option.pyargs:
        return tuple(config.args)
    parts = [argument.partition("::") for argument in config.args]
    return tuple(f"{config.invocation_params.dir / path}{colons}{names}" for path, colons, names in parts)


def _copied(path: Path, roots: list[Path]) -> Path:
    """Return where xdist copies a file for workers elsewhere, from their current folder; unchanged if it does not."""
    inside = [root for root in roots if path.is_relative_to(root)]
    return Path(inside[0].name, path.relative_to(inside[0])) if inside else path


def _run_settings(config: pytest.Config, options: GateOptions, file: Path, thresholds: Thresholds) -> RunSettings:
    """Return the settings of this process, with a new folder for the run; raises `UsageError`."""
    report = getattr(config.option, "xmlpath", None)
    taken = {"the thresholds file": file, "the report of --junitxml": Path(report) if report else None}
    if options.json is not None:
        check_results_file(options.json, "--cg-json", taken)
        taken |= {"the results of --cg-json": options.json, "their evidence": evidence_path(options.json)}
    if options.html is not None:
        check_results_file(options.html, "--cg-html", taken, with_evidence=False)
    options.run.check("--cg-", device=not config.option.collectonly)
    given = options.run.baseline
    baseline = None if given is None else read_baseline(given, "--cg-baseline", thresholds)
    run_folder = Path(tempfile.mkdtemp(prefix="compress-guard-run-"))
    if baseline is not None:  # before a report of this run takes its place
        baseline.keep(run_folder)
    return options.run.settings(run_folder, file.parent, keep_evidence=options.json is not None)
