"""Measurements that anyone can run; each ends with figures."""
