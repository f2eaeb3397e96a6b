"""The commands of the command line, one module each; :mod:`conformance.cli` only parses arguments."""
