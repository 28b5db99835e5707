"""One run against another: results files of an earlier run come in; the change of a cell goes out.

Open `baseline` first: the results that the run is compared with. `junit_files` reads the cells of JUnit reports,
`comparison` compares a cell with its counterpart, `difference` all of them, and
`other_cells` the studies and throughput cells. `changed_cells` has the changes. `same_images` finds jobs of one file
that had other images, `given_baseline` has the baseline of a single call, and `names` the names of files in an archive
of evidence.
"""
