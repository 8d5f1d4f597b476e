"""A whole cluster as local processes: planned, started, formed, watched, stopped.

plan        pure: which process gets which port, folder and configuration file
fork        starts processes from one warm parent
processes   a process that somebody started: is it still that one, has it ended, end it
state       the file in the cluster's folder that remembers the plan and the processes
formation   makes one cluster of nodes that do not know each other, and says when it is ready
status      who is who now, asked of the running cluster
session     `trivet up` and `trivet down` from beginning to end
commands    the command lines of up, down, status and form
"""
