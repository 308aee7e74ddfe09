"""JSON routes of those who govern the library: curators, reviewers, administrators, operators."""
