"""OpenBSD: a virtual host is an interface on a carpdev, with interface groups that carry demotion."""
