"""DEBUG: looking into a node, and bringing it into states that are hard to come by."""
