"""The part of the plugin for pytest-xdist: which worker runs what, and what is left of one that dies.

Open `scheduling` first.
"""
