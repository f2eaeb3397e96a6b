"""Bytes: the CARP header, its digest, frames, the scapy layer, named malformations. No I/O, no clock."""
