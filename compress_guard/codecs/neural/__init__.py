"""The bundled learned codec: a block transform and a network that predicts its coefficients, exact on every machine.

In: uint8 images and a rung of the ladder. Out: streams that decode to the same pixels everywhere. Open `codec` first,
the `Codec` itself; `model` turns images into symbols with `network`, and `coefficients` keeps the transform of recent
images. `symbols` puts them in the order of a stream. `stream` has the header, and what a writer and a reader are:
`coder` codes symbols by the tables of `frequencies`, and `estimates` packs them and says what coding would take. The
folder `weights` has the trained weights and their model card.
"""
