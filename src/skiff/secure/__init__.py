"""What protects the people in the data, and what strangers can do to a model that learned from them.

Pure like every room: tables, keys and models to ask come in, tables and counts go out. `pii` masks, makes pseudonyms and says how
easily a row still leads back to its person. The attacks each end in a light (`lights`): `membership` tells who was learned from, with
what a remedy costs (`price`), `attributes` what asking gives away of people, `inversion` whether it can be asked for rows, `evasion` how little
turns a decision over, `extraction` how good a copy gets, `poison` whether somebody may have misled it. They see a model from outside (`answers.Suspect`); shadow models come trained, as arrays, from whoever calls.
"""
