"""A Vagrant box with ucarp in it, made of Debian's packages alone: for machines that reach nothing else."""
