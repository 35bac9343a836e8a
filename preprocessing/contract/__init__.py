"""The impression-log contract: column names, schemas, configuration."""
