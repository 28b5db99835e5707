"""A data set comes in; samples with ids, targets and sizes go out.

Open `samples` first: the images of a guard and the survey of them. `reader` reads each sample once and checks it,
`access` keeps data on the thread that it needs, `placing` turns images as EXIF says, `slicers` part them, `subsets`
serve limits.
"""
