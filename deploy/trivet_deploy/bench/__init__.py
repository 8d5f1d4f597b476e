"""A compiled node beside redis-server on the same machine, in the same run.

Two servers that run at different times cannot be compared: a machine's speed drifts by tens of per cent within
minutes. So both servers stay up, every round measures every case on each of them, one right after the other with the
order changing from round to round, and the result of a case is the median of the rounds' ratios with their spread.

`cases` says what is measured, `servers` runs the two servers, `measure` runs redis-benchmark, `summary` turns samples
into ratios, `command` is `trivet bench`.
"""
