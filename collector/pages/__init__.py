"""Pages: who is told of an incident, in which words, over which channel, and what came of it."""
