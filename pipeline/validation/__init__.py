"""Is the model servable? A trial against a real server before the push."""
