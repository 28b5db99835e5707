"""Target rates: photographs go in; encodes per image and the distance from the target come out.

Open `reached` first: the plan of a gate, codec by codec and rate by rate. `search` sets its cost beside that of a
bisection and of CompressAI's `find_close`; `transforms` looks at `RandomCompression`, which codes once per image.
"""
