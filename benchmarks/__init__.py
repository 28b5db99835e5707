"""Measurements behind the figures of the documents; nothing of this is installed with the package.

`python -m benchmarks.FOLDER.MODULE --help` says what a benchmark needs. It prints a table in Markdown, and with
``--write`` puts it into a document between two marks. Open `command` first: it has the options, the checks and the
facts of the machine that all share; `document` has the marks.

- `speed`: encoding and decoding, codec by codec, on the CPU and on a GPU;
- `rates`: what it takes to bring images to target rates, in a gate and in training;
- `gate`: whole runs: start, memory, time, and the same work done without a gate;
- `quality`: images and scores at given rates;
- `coverage`: how often intervals and verdicts are right;
- `hot`: the hot paths under pytest-benchmark (``make bench``).
"""
