"""A data set comes in; samples with ids, targets and sizes go out.

Open `samples` first: the images of a guard and the survey of them. `reader` reads and checks each `sample`, `access`
keeps data on the thread that it needs, `placing` aligns images that EXIF turns with their targets, `slicers` find the
slices of an image, `subsets` serve limits.
"""
