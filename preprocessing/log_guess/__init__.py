"""Looks at a log that nobody described, and guesses the configuration that reads it.

A sample of the files becomes columns (`LogSample`), each column a profile, and profiles
become guesses with their reasons. `poso init` writes them as YAML.
"""
