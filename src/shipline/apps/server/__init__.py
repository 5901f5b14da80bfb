"""The web page and the HTTP interface of `shipline up`.

Promises: serves loopback alone; shows nothing without the token that is printed at start, and changes nothing without
a CSRF token besides; loads nothing from elsewhere; a button builds the same command as the command line. Reads the
store in snapshots, so that no engine waits for a viewer. Decides nothing by itself.
"""
