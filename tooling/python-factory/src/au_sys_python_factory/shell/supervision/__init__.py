"""The processes of a shell: what identifies them, keeps them running, and is written down about them."""
