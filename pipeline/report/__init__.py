"""The report page at the end of every run."""
