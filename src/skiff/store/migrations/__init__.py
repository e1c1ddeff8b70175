"""How the catalog grows from one version of Skiff to the next (Alembic, without its command line).

Each file in ``versions/`` changes the tables in one step. A new catalog is built by running all of them, so that a new
workspace and an upgraded one are the same. Everything runs in one transaction: a process that is killed half way
leaves the catalog as it was.
"""
