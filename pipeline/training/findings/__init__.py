"""What is learned about a trained model, in files for the report."""
