"""Hostile files are made by code; none is kept in the repository."""
