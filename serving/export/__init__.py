"""What a SavedModel carries for serving: signatures, constant weights, warm-up."""
