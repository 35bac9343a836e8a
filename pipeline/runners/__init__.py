"""Where a pipeline runs: on this machine or on Kubeflow; what a run leaves."""
