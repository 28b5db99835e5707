"""Samples come in; a survey of them goes out.

Open `passes` first: every sample is read once, and again where the orientation demands it. `record` holds what later
steps need to know of the images without reading them again.
"""
