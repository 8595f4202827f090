"""Minutes of local councils, one file each."""
