"""One run against another: results files of an earlier run and their evidence.

`names` has the names of files in an archive of evidence.
"""
