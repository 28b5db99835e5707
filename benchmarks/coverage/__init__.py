"""Coverage: how often intervals and verdicts are right; the runs behind docs/explanation/coverage.md.

Open `top1` first: every outcome counted with its probability, by the formulas of `intervals`. `resampled` and
`looks` draw samples from the rendered scenes of `population`; the others are named after what they ask about.
"""
