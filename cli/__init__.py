"""The `poso` command: one thin file per subcommand, which parses, calls and prints.

Heavy imports happen inside the subcommands, so that `poso --help` answers at once.
"""
