"""The commands: arguments and environment in, an exit code out."""
