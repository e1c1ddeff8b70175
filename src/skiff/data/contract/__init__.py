"""What a table is agreed to look like, learned from one file and held against every later one.

`learn_contract` finds what is so in every row of a table: a price that is never negative, an order number that is never
used twice, a start that is never after its end, a total that is the sum of its parts. Each `Rule` says in how many rows it
was seen to hold, and is proposed only where chance could hardly have made it so. `list_sentences` words the rules for the
client, who confirms or rejects them; the answers are kept in the contract.

`find_broken_rules` holds a table against a contract, `compile_contract` makes a checker for single rows that is fast enough
to stand in front of a model. Both name rows and counts, never a cell. `build_schema` writes the contract as a JSON Schema.
"""
