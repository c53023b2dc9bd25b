"""The API's kinds as typed models, for programs that read or write them; no build imports this."""
