"""Options of the commands on what is around a model: `profile` on production files, `doctor` on this machine."""

from __future__ import annotations

from compress_guard.cli.arguments.shared import Commands, add_seed, positive


def add_profile(commands: Commands) -> None:
    """Add the command `profile`."""
    profile = commands.add_parser(
        "profile",
        help="say what production files look like: formats, sizes, rates, JPEG qualities",
        description="Read the headers of a sample of production files, without decoding them, and print what they "
        "look like: format, size, bits per pixel, JPEG quality by the quantisation tables, chroma, EXIF turns, ICC "
        "profiles, and the operating points that cover the 5th to the 95th percentile. Nothing that is written holds "
        "a file's name or its metadata. Exit code 0: done; 4: there are no images, or an option makes no sense.",
    )
    profile.add_argument(
        "source",
        metavar="FOLDER-or-list",
        help="a folder, read with all folders below; a text file with one path a line; or - for such lines on "
        "standard input",
    )
    profile.add_argument(
        "--sample", type=positive, default=5000, metavar="N", help="read N files, drawn at random (default: 5000)"
    )
    add_seed(profile, "the sample")
    profile.add_argument("--json", metavar="FILE", help="write the distribution as JSON")
    profile.add_argument(
        "--out",
        metavar="FILE",
        help="write a thresholds file with the operating points and the share of the traffic of each; a file that is "
        "there stays",
    )
    profile.add_argument("--force", action="store_true", help="let --out replace a file")


def add_doctor(commands: Commands) -> None:
    """Add the command `doctor`."""
    doctor = commands.add_parser(
        "doctor",
        help="say which codecs, decoders and weights are here, and what brings the others",
        description="Say which codecs can run here, which streams each decoder reads, and what brings the others. "
        "With FILE: only what its codecs and guards need, and which weights of CompressAI's published models are "
        "here of those that it asks for, with their hashes checked; weights that a mirror or "
        "COMPRESS_GUARD_DOWNLOAD=1 may bring are then fetched. Without FILE, --weights and --lock list the weights "
        "of all published models. Exit code 0: all is there (without FILE: nothing is damaged); 1: something is "
        "missing or damaged; 4: the file or an option makes no sense.",
    )
    doctor.add_argument("thresholds", nargs="?", metavar="FILE", help="a thresholds file; default: all codecs")
    doctor.add_argument(
        "--weights",
        default="",
        metavar="DIR",
        help="where weights are (default: COMPRESS_GUARD_WEIGHTS, else the cache of torch.hub); codecs of FILE with "
        "an option weights keep theirs",
    )
    doctor.add_argument(
        "--lock",
        action="store_true",
        help="write the sha256 of the weights that are here to compress-guard.lock beside them: from then on no other "
        "content is loaded under these names",
    )
