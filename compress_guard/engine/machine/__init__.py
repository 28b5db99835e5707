"""The machine: its memory, its threads, its clock.

Nothing of images or models is known here. Open `clock` for how work is timed, `memory` for how much it takes,
`worker` for work that is done ahead on a thread of its own.
"""
