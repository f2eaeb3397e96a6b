"""FreeBSD 10 and later: a virtual host is a property of addresses."""
