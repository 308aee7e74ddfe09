"""The trail that is kept while no capability brings a better one."""
