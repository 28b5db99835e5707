"""How often intervals and verdicts are right: the runs behind docs/verdicts.md."""
