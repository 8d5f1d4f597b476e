"""What nodes, sentinels and clients share: the bytes on the wire and the exact words of its errors.

`requests` parses what clients send, `replies` encodes what servers answer, `slots` maps keys to hash slots, `errors`
holds the texts of errors, `connection` is the client side of a connection under trio. Only `connection` does any I/O.
"""
