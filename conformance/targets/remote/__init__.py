"""Machines that are reached by a connection: one bench, one kind of host, and what an administrator types on each system."""
