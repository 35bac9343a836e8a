"""The tests. A regular package: IPython puts another of this name on the path."""
