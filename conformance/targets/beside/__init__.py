"""Who stands beside the IUTs on their segment: a client of the shared address, a second implementation, VRRP routers."""
