"""A seeded world of pictures with labels, boxes and masks."""

from examples.world.scene import CLASSES, GROUP, IGNORE, SINGLE, SIZE, Layout, Scene, render

__all__ = ["CLASSES", "GROUP", "IGNORE", "SINGLE", "SIZE", "Layout", "Scene", "render"]
