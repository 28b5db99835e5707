"""The bundled learned codec: a block transform and a network that predicts its coefficients, exact on every machine.

In: uint8 images and a rung of the ladder. Out: streams that decode to the same pixels everywhere. Open `codec` first,
the `Codec` itself; `model` turns images into symbols with `network`, `stream` writes and reads symbols, `coefficients`
keeps the transform of recent images. The folder `weights` has the trained weights and their model card.
"""
