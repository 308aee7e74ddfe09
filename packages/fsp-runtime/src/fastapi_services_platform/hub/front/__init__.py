"""What the pages for everybody are made of: notices, the meaning of problems, the page of components."""
