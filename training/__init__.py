"""How the bundled codec was trained: `python -m training.neural`, then `python -m training.export`."""
