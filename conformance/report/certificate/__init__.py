"""Certificates: a run's record as a bundle that anybody can check again, its signature, its verification, and PICS."""
