"""Speed of codecs: photographs go in, megapixels or images per second come out.

Open `throughput` first: every codec on every device, measured by `codecs` in a process for each. `gpu` is the whole
command for a GPU; it sets learned codecs beside CompressAI's loop (`loop`) and a gate beside its parts (`apart`).
"""
