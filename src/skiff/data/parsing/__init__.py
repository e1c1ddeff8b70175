"""Parsing: from bytes and text cells to typed columns, with every decision said.

The order is always the same. `encoding` settles how bytes become letters, `dialect` how lines become cells, `layout`
which row is the header and where the table ends, `totals` which rows only repeat others; `columns` then decides what
each column is, with the help of `numbers`, `dates`, `booleans` and `placeholders`. Each decision is kept twice: as a
`reading.*` finding for the person (`findings`) and as a recipe for the next file (`recipe`).

Nothing here opens a file: `skiff.store.tables` brings bytes and frames of text, `skiff.flows.read` puts it all together.
A cell that cannot be read is counted and located, never lost in silence; where the evidence does not settle a
question (is 03/04 in March or in April?) it is asked, never guessed.
"""
