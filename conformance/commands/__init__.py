"""The commands of the command line, one module each. Their options are in the modules of the same names in :mod:`conformance.cli`."""
