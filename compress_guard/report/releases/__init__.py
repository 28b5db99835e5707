"""The difference between two releases as text.

Open `difference_text` first: plain text, Markdown and JSON of what `engine.releases.difference` has found.
"""
