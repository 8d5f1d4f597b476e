"""Breaking a cluster on purpose, and saying what an application saw of it.

ledger      pure: every acknowledged write, every error; which writes are lost
workload    writers and readers on every shard, through trivet_client
timeline    pure: what the sentinels told, in order, and how many of them told it
listening   collects the sentinels' events into a timeline
recovery    kills a primary; says when the slots are served again
verdict     pure: the figures of a drill and the words for them
screen      shows a drill while it runs, on a terminal or as plain lines
demo        `trivet demo`: the drill that needs no argument
"""
