"""The face for programs: releases answer over HTTP, the log is kept, outcomes come in.

A bare asyncio protocol on uvloop with httptools (`protocol`), because a web framework costs several times what the model
costs (docs/decisions/0014). `app` knows the routes; `lane` puts the rows that were read in one turn of the event loop into one
call of the model; nothing is answered before the log has it. `worker` runs one process, `server` several on one port.
"""
