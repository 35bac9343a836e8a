"""Two arms of a model, and trees with the same columns, on several days.

An arm is a variation of the configuration. It is trained through the day before each
day with several seeds, and its scores are kept, so that users can be drawn anew.
"""
