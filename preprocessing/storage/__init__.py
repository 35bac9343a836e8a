"""Files by path or URI, and how tables are laid out in Parquet."""
