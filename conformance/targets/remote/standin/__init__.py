"""A stand-in for a machine: a POSIX shell whose ifconfig, sysctl, netstat … print what was recorded of real ones, over a model as its CARP. It is never the system."""
