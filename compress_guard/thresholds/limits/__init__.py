"""Limits from measurements: `measured` says which limit a measured drop gives."""
