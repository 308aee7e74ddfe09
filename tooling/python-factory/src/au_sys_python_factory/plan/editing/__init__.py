"""Small edits of files that people keep: comments, order and line ends of untouched lines stay."""
