"""The command line: one file a verb, each reads arguments and calls the package."""
