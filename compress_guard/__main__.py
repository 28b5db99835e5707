"""``python -m compress_guard``: the same as the command ``compress-guard``."""

import sys

from compress_guard.cli import main

sys.exit(main())
