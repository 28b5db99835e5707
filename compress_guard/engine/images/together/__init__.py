"""Images that belong together: the group of each image, and a look for images that seem to.

Open `groupers` first: the group of an image by a factory, by a field of its target, or by its folder. `neighbours`
finds images that are nearly equal to the next one, as frames of a video are. `rows` brings groups into an order in
which they are whole.
"""
