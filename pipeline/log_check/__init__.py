"""What a log is like, before anything is trained on it: `poso check`.

`numbers/` counts while the feature engine goes over the log, `findings/` says what
the counts speak against, `page.py` shows both.
"""
