"""Tests of the initializers against servers that others wrote, on loopback."""
