"""The part of the plugin for pytest-xdist: which worker runs which test, and the results of a worker that dies.

Open `scheduling` first.
"""
