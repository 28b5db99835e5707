"""The pictures that count as clean come in; their evidence goes out.

Open `side` first: the evidence that cells compare with, made once. `reference` tells which pictures these are: the
sources, or the sources as a codec scales and crops them without coding.
"""
