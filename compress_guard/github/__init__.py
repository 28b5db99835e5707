"""GitHub as a workflow sees it. Nothing here knows results: texts and files come in.

Open `workflow` first: the run that a job belongs to, and the files by which it talks to the runner. `commands` escapes
messages, `api` asks the REST interface, `baseline` fetches the results of an earlier run, `comment` keeps one comment
on a pull request.
"""
