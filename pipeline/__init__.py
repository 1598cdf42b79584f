"""bandcast as a library: a recipient file goes in, one explained result per row comes out."""
