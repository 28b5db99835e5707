"""The ways to run a coder: batches on a device, threads, processes, programs and the files that they hand over.

Open `pool` for threads and processes, `program` for external encoders.
"""
