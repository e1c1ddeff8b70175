"""What lies beside the model in a handover bundle: how to run it, and files for continuous checks.

`list_papers` returns the texts by name. They name the release's own columns and files and nothing of the client's rows.
"""
