"""Sizes with the proportions of the paper's production model (Table 1)."""

FEATURES, SEQUENCES, LENGTH, VIDEO, CODE = 1792, 4, 50, 32, 16
HEADS, KEY_DIM, MODULES = 8, 64, 4
EXPERTS, EXPERT_UNITS, TASKS, TOWER_UNITS = 8, (576, 512), 4, (256, 192)
# What the paper's table leaves unnamed, 29 % of its FLOPs, is here a plain stack.
BOTTOM_UNITS = (2816, 1792)


def input_shapes() -> list[tuple[int, ...]]:
    """Returns the shapes of the model's inputs, without the batch."""
    return [(CODE,), (FEATURES,), *[(LENGTH, VIDEO)] * SEQUENCES]
