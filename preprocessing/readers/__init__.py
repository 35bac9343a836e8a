"""Tables as files hold them: one reader per format, columns under the files' names."""
