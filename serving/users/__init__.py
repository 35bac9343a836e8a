"""Where what is known of users and videos is kept, for ranking by ids."""
