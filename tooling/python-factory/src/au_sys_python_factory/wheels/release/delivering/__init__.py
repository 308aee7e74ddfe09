"""From built files to an index: the gate before it, the upload in order, and the look from the other side."""
