"""What the training transforms are made of: settings that hit a rate in one encode, and round trips without streams."""
