"""The ranking model and its export."""
