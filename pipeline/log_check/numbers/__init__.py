"""What is counted of a log, one idea a file; blocks of it come from several threads."""
