"""Names of images and classes for people, as far as the data tells them without doubt. Nothing else depends on them.

A data set comes in; file names by the id of an image and texts by the number of a class go out. Open `names` first: it
puts both together for the images of a limit. `listed` finds the files that a data set lists, `relative` the names
within the folder that they share, `classes` the names of classes.
"""
