"""The lines beside the matrices: what a person should know of a run, one sentence each.

Open `lines` first: it asks the other modules in turn. Each of them owns the sentences about one subject.
"""
