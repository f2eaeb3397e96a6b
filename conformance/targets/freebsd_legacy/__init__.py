"""FreeBSD 5.4 to 9: a virtual host is an interface, which finds its parent by the subnet of its address."""
