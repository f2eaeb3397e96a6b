"""Places where an implementation can run: network namespaces, Vagrant machines, remote hosts."""
