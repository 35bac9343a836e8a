"""The server's options and configuration files."""
