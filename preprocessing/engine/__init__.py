"""Who runs the steps over a whole log: threads on this machine, or Beam."""
