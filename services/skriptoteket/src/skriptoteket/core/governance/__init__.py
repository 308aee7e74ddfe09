"""Who suggests, who looks after a tool, who becomes administrator."""
