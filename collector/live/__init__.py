"""The newest numbers of every host, as arrays, with the text of each series made once."""
