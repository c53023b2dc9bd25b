"""Files to Source: documents whose fields know their place."""
