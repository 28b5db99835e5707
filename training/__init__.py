"""The training of the bundled codec: `python -m training.neural`, then `python -m training.export`."""
