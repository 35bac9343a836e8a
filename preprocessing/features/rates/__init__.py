"""How often videos, authors, tags, users and crosses were shown, and how that went.

`counting` counts what came before each impression, exactly and by key; `subjects` says
what the keys are, `passes` counts them in each of the engine's passes, `overall` counts
the whole log, and `columns` makes rates of the counts.
"""
