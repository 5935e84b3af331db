"""People who are called (not logins, though one may have one), how to reach them, and the teams they form.

The file of rosters owns every person, team and address (``bongsu apply rosters.toml``); pages own nothing here. That an
address is verified belongs to the address: another address begins unverified. Names are for everyone who may see the
person; addresses and quiet hours are personal data, and only for who works (operator, admin) and for the person.
"""
