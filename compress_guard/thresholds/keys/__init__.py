"""Readers of single keys of a thresholds file, each a pure function of a value that knows its line."""
