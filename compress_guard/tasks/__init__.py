"""Tasks: what an image contributes to a score, and the score as a function of that evidence and of image weights.

In: a target of the data set and an answer of the model, in any library's form. Out: evidence (small arrays), and
scorers in points. Open `contract` and `scorer` first, then `classification`, the simplest task. `arrays` reads foreign
values, `matching` and `precision` are COCO's, `skill` and `borders` say what a task can tell of a model that knows
nothing and of bad masks.

The other tasks are `detection` and `segmentation`; `scores` are counts and means in points. `frames` bring boxes and
label maps back from pictures that a codec scaled or cropped.
"""
