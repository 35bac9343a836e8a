"""Every row of a log is accepted or rejected with a reason, and counted."""
