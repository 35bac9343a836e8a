"""Gradient-boosted trees on a run's own feature table, as a yardstick for its model.

`inputs` says which columns they may see, `rows` reads these from raw examples,
`held_out` and `boosting` fit LightGBM, `comparison` ranks the evaluation split by it
and by the run's models, and `slices` says how well each does.
"""
