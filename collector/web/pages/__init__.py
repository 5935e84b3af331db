"""One file per screen: it asks the pure view for values and names the template."""
