"""ucarp: a CARP daemon for Linux, run as a process in a network namespace."""
