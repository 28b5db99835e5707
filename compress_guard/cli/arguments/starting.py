"""Options of the commands for the first minutes: `init` and `check`."""

from __future__ import annotations

from typing import Final

from compress_guard.cli.arguments.shared import (
    Commands,
    add_machine_options,
    add_thresholds_file,
    set_trial_defaults,
)

_INIT_IMAGES: Final = 100
_CHECK_IMAGES: Final = 20


def add_init(commands: Commands) -> None:
    """Add the command `init`."""
    init = commands.add_parser(
        "init",
        help="write a thresholds file, with limits from a quick measurement",
        description=f"Write a commented thresholds file for one model. It measures the model on {_INIT_IMAGES} images "
        "(--limit) at the points that production uses, and takes as limits the upper ends of the measured intervals "
        "plus half a point. On a terminal it asks for what no option gives. Exit code 0: written; 1: the model could "
        "not be measured, and nothing was written; 4: an option makes no sense, or there is a file already.",
    )
    init.add_argument("--task", metavar="TASK", help="classification, detection or segmentation")
    init.add_argument("--model", metavar="MODEL", help="factory package.module:callable, or a registered name")
    init.add_argument("--data", metavar="DATA", help="factory of the evaluation data, or a registered name")
    init.add_argument("--guard", metavar="NAME", default="model", help="name of the guard (default: model)")
    init.add_argument(
        "--codec",
        action="append",
        metavar="CODEC[,CODEC]",
        help="codecs of production, e.g. jpeg,webp (default: those that --quality or --bpp name, else jpeg for "
        "qualities and jpeg,webp,avif for rates); may be given more than once",
    )
    init.add_argument(
        "--quality",
        action="append",
        metavar="[CODEC=]Q[,Q]",
        help="settings of production on the codec's own scale, e.g. 75,50 or webp=80; may be given more than once",
    )
    init.add_argument(
        "--bpp",
        action="append",
        metavar="[CODEC=]R[,R]",
        help="rates in bits per pixel (default without --quality: 0.25,0.5,1,2); may be given more than once",
    )
    init.add_argument(
        "--out",
        dest="thresholds",
        default="thresholds.yaml",
        metavar="FILE",
        help="the file to write (default: thresholds.yaml)",
    )
    init.add_argument("--force", action="store_true", help="replace a file that is there already")
    init.add_argument(
        "--no-measure", action="store_true", help="write the file at once, with one limit of 5 points to be replaced"
    )
    add_machine_options(init)
    set_trial_defaults(init, _INIT_IMAGES)


def add_check(commands: Commands) -> None:
    """Add the command `check`."""
    check = commands.add_parser(
        "check",
        help="try a thresholds file on a few images: clean score, labels, sizes, time, images needed",
        description=f"Measure every cell of a thresholds file on {_CHECK_IMAGES} images of each guard (--limit), and "
        "say what the whole run would take: the clean score, the labels and sizes of the images, the time, and how "
        "many images the limits need. No limit is judged. Exit code 0: every cell could be measured; 1: one could "
        "not; 4: the file or an option makes no sense.",
    )
    add_thresholds_file(check)
    add_machine_options(check)
    set_trial_defaults(check, _CHECK_IMAGES)
