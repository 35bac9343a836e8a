"""How often videos, authors, tags, users and crosses were shown, and how that went.

`counting` counts what came before each impression, exactly and by key; `subjects` says
what the keys are, `passes` and `subject_pass` count them where the engine has all
impressions of a key, `overall` counts the whole log, and `columns` makes rates of the
counts.
"""
