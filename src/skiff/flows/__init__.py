"""The promises: one file for each thing Skiff does for you. A flow opens, calls rooms, records evidence, returns a value."""
