"""trainc: files in, files out."""
