"""The part of the plugin for pytest-xdist: which worker runs which test, and the results of a worker that dies.

Open `scheduling` first.

`xdist_scheduling` mends xdist's own schedulers and `distribution` picks one; `places` gives workers their GPUs.
`left_behind` keeps the results of a running test, `crashes` turns the cell of a dead worker into an error.
"""
