"""What was known of users and videos before a log: schema and files."""
