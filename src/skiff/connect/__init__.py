"""The door to the outside world: the only folder that calls out, and only to addresses a person wrote down.

`databases` reads a client's database. `send_message` delivers one message to one address of ``[alerts] to`` through Apprise.
`NetworkGuard` stands behind that: every connection that is opened meanwhile is looked at, after names were resolved and at every
redirect, and one to this machine, a private network or a cloud's metadata service is refused unless ``[alerts] allow_private``
says otherwise. There is no telemetry and no default host.
"""
