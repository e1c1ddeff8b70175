"""What protects the people in the data: masking, pseudonyms, and how easily a row still leads back to its person.

Pure like every room: tables and keys come in, tables and counts go out. `pii` holds it.
"""
