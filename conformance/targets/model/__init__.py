"""Models as targets: ``model:freebsd`` is not FreeBSD, it is what this suite believes of it."""
