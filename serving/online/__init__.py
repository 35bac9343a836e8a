"""What is known of users and videos now, for ranking by ids."""
