"""What nodes, sentinels and clients share: the bytes on the wire, the exact words of its errors, habits of processes.

requests     parses what clients send
replies      encodes what servers answer
pushes       what subscribers receive
help         what CONTAINER HELP answers
errors       the texts of errors
slots        maps keys to hash slots
answers      reads replies
addresses    writes addresses as text
glob         matches the patterns of KEYS and PSUBSCRIBE
failures     the failure that matters out of several tasks' failures
version      the version of Redis whose behaviour is the contract
connection   the client side of a connection under trio
process/     what the processes of servers do alike

Only `connection` and `process` do any I/O.
"""
