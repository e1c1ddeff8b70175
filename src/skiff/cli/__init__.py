"""The terminal face: parse, call one flow, print what it returned."""
