"""The output of a run: lines while it works, failures, the summary, reports.

Open `summary` first; `terminal` is the only way to pytest's terminal.
"""
