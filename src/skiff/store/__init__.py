"""The door to disk: files of any kind in, the workspace's catalog, objects, ledger and releases in and out.

Only this folder opens files for Skiff.
"""
