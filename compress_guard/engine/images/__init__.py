"""A data set comes in; samples with ids, targets and sizes go out.

Open `samples` first: the images of a guard; `survey` looks them over. `reader` reads and checks each `sample`, `access`
keeps data on the thread that it needs, `placing` aligns images that EXIF turns with their targets, `slicers` find the
slices of an image, `subsets` serve limits.

`factories` calls the data sets and models that a file names. `readings`, `second_reading` and `agreement` find data
that differs from reading to reading or between processes; `intake` and `value_range` find pictures that were not
meant, `lossy_sources` those that were compressed before, `together` those that belong together. `naming` finds the
names that people know images and classes by. `raw_targets` serves a user's own tests.
"""
