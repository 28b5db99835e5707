"""Examples that run in a fresh checkout: a bundled world of rendered scenes, three small models, and photographs."""
