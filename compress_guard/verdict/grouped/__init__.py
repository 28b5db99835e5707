"""Images that belong together: groups of images and flags go in, intervals over groups come out.

Open `groups` first: the group of each image, and scores with weights of groups, which serve the bootstrap. `clustered`
has the score intervals of flags, `bets` the looks of a run that may stop early, `doubts` the warnings.
"""
