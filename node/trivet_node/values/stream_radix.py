"""How many nodes Redis' radix tree would have for the nodes of a stream: XINFO STREAM tells it.

The tree branches where keys differ in a byte. Every key ends in a leaf; a stretch of bytes without a branch is one
node, and so is each branching, which holds the first byte of what follows. So only the lengths of the prefixes that
neighbours have in common count: they are folded into the tree's inner nodes with a stack. (Redis: rax.c.)
"""

from typing import Final

from trivet_node.values.stream_ids import ID_BYTES

_ABOVE_ROOT: Final = -1


def radix_nodes(keys: list[int]) -> int:
    """Return the number of nodes for these ascending IDs."""
    if len(keys) < 2:
        return 1 + len(keys)
    depths: list[int] = []
    nodes = 0
    previous = keys[0]
    shared_before = _ABOVE_ROOT
    for key in keys[1:]:
        shared = ID_BYTES - ((key ^ previous).bit_length() + 7) // 8
        nodes += _with_stretch(ID_BYTES, max(shared_before, shared)) + _folded(depths, shared)
        depths.append(shared)
        previous = key
        shared_before = shared
    return nodes + _with_stretch(ID_BYTES, shared_before) + _folded(depths, _ABOVE_ROOT)


def _folded(depths: list[int], shared: int) -> int:
    """Take the branchings that are complete, those deeper than `shared`, off the stack and count their nodes.

    One as deep as `shared` is the same branching as the one that is put there next.
    """
    nodes = 0
    while depths and depths[-1] >= shared:
        depth = depths.pop()
        if depth == shared:
            break
        nodes += _with_stretch(depth, max(depths[-1] if depths else _ABOVE_ROOT, shared))
    return nodes


def _with_stretch(depth: int, parent: int) -> int:
    """Count a node at `depth` and the stretch between it and its parent, where bytes are left for one."""
    return 2 if depth - parent >= 2 else 1
