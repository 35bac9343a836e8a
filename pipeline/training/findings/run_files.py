"""Names of the files that a training leaves in its run folder, for the report."""

HISTORY_FILE = "history.json"  # loss and GAUC, epoch by epoch
GATES_FILE = "gates.json"  # gate outputs over AVC buckets (Fig. 4)
SENSITIVITY_FILE = "sensitivity.json"  # what the model listens to (Fig. 1b)
