"""The machine: its memory, its threads, its clock.

It knows neither images nor models. Open `clock` for the timing of work, `memory` for its memory, `worker` for work
that is done ahead on a thread of its own.

`threads` limits the threads of libraries, `heap` gives freed memory back.
"""
