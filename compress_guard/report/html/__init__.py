"""Reports to hand to somebody: one HTML file that explains a run, or a summary in Markdown.

`contents` is what comes in: the results of a run, or of its results file. `page` makes the HTML of it by the templates
in `templates/`, and `markdown` the summary.

What the templates show is prepared as records: `headline` says how the run ended, `guard` has one guard, `cell` one
cell, `marks` the word and look of its verdict, `advice` what to do about it, `chart` the figures of score against rate,
`scale` their axes, `pictures` the worst images within their bounds, and `tables` all tables below them.
"""
