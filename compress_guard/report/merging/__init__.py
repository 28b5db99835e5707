"""Results of several jobs, joined to those of one run.

`parts` reads results files with their evidence, `union` joins them and refuses what does not fit together, and
`junit_file` writes results as JUnit XML without pytest.
"""
