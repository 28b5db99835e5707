"""The ways to run a coder: batches on a device, threads, processes, and programs with their files.

In: a function or command line, and items. Out: results in the order of the items, or one `CodecError` with the
reason. Open `pool` first, for threads and processes. `batching` is for devices whose memory may run out, `program`
runs external encoders, `exchange` reads the files that these write. `insulation` keeps a user's global settings away
from codecs.
"""
