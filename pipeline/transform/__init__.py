"""The Transform on one machine: ids are counted, the graph runs over whole batches."""
