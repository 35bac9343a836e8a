"""Our TFX components: examples from an impression log, their schema, the report."""
