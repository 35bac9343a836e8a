"""Models of the embedded server: configuration, versions, loading and swapping."""
