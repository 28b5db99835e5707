"""Attribution of a cell's loss to images, for people; no verdict depends on it.

Open `named_images` first: the images that the cell lost most by, with the names of their files and classes.
`class_scores` has the scores of single classes.
"""
