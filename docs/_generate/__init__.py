"""Parts of the documentation site that are made of the code when the site is built.

A page names a part by ``<!-- generated: NAME -->``. `site` is the extension of Sphinx that puts its text there, `parts`
the table of all parts. The other modules write Markdown, and know nothing of Sphinx: `keys` (thresholds.yaml),
`options` (pytest), `commands` (compress-guard), `fields` (results) with their `units`, `api` (docstrings) and `matrix`.

`contents` makes the tree of pages of the links of docs/index.md, `outside` leads links out of docs/ to the repository.
`diagram` draws flowcharts, and `markdown` writes tables.
"""
