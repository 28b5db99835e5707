"""``compress-guard github``: what a step of GitHub Actions has to say and to ask.

`command` picks one of the tasks: `baseline` fetches earlier results, `publish` writes the summary, annotations and
outputs of a step, `comment` writes on the pull request. `lines` writes what the runner reads.
"""
